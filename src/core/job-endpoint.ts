import { fail } from "../errors/oidc-error.ts";
import { endpointVariable } from "./job-variables.ts";
import { safeText } from "./untrusted-text.ts";

/**
 * Under `strict`, for a job of GitHub: a stanza's `env` could have the runner's request token sent to somebody else. SETTINGS_INVALID for an
 * endpoint that is neither GitHub's own nor one that the file lists (GitHub Enterprise Server, and others that imitate it).
 */
export function checkEndpoint(env: Readonly<Record<string, string | undefined>>, allow: Readonly<Record<string, readonly string[]>>): void {
  const text = env[endpointVariable] ?? "";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isGithubs = url?.protocol === "https:" && url.hostname.endsWith(".actions.githubusercontent.com");
  const origins = Object.hasOwn(allow, endpointVariable) ? (allow[endpointVariable] ?? []) : [];
  if (url === undefined || isGithubs || origins.includes(url.origin)) return;
  fail("SETTINGS_INVALID", {
    message: `strict does not allow ${endpointVariable} to name ${safeText(url.origin, 100)}`,
    hint: `list that origin under allow: ${endpointVariable} in the configuration file that says strict`,
  });
}
