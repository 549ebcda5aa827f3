import { isVersion, newestReleaseUrl } from "../core/release.ts";
import { isObject } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import { type FetchOptions, httpsFetch } from "./https-fetch.ts";

/** Milliseconds. */
const deadlineMs = 10_000;

/**
 * The newest version in the npm registry, whose number all forms share. Says nothing of this computer but the program's version.
 * RELEASES_UNREACHABLE; SETTINGS_INVALID for a registry that is no https URL.
 */
export async function newestRelease(machine: Pick<FetchOptions, "env" | "version" | "log" | "signal">): Promise<string> {
  const url = newestReleaseUrl(machine.env["npm_config_registry"]);
  if (url === undefined) return fail("SETTINGS_INVALID", { message: "npm_config_registry is not an https URL without a user name", hint: "unset npm_config_registry" });
  const { fetch } = httpsFetch({ ...machine, caFiles: [], caData: [], insecure: false, headers: {}, origin: url.origin, deadlineMs });
  const response = await fetch(url.href, { method: "GET", headers: { accept: "application/json" }, body: undefined, redirect: "manual" }).catch(failAsRegistry);
  const found = parsed(await response.text());
  const version = isObject(found) ? found["version"] : undefined;
  if (response.status === 200 && isVersion(version)) return version;
  return fail("RELEASES_UNREACHABLE", { message: `${safeText(url.host, 100)} does not tell the newest version`, reason: `HTTP ${response.status}` });
}

/** The same faults under the name of who has them. */
function failAsRegistry(error: unknown): never {
  if (!isOidcError(error) || !(error.code === "ISSUER_UNREACHABLE" || error.code === "ISSUER_TLS_UNTRUSTED")) throw error;
  return fail("RELEASES_UNREACHABLE", { message: error.message, ...(error.reason === undefined ? {} : { reason: error.reason }) }, error);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
