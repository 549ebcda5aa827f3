import { fail } from "../errors/oidc-error.ts";
import type { OptionName } from "./flag-table.ts";
import { endpointVariable } from "./job-variables.ts";
import { isOptionName } from "./option-values.ts";
import type { OptionSource } from "./settings.ts";
import { safeText } from "./untrusted-text.ts";

/** What a kubeconfig or an environment may not decide under `strict`, unless the file allows that value (cli.md M10). */
export const guarded: readonly OptionName[] = [
  "browser-command",
  "token-cache-dir",
  "insecure-skip-tls-verify",
  "certificate-authority",
  "certificate-authority-data",
  "allow-non-loopback",
  "oidc-request-header",
  "open-url-after-authentication",
  "subject-token-command",
  // Has kubectl ask another cluster for a service account's token.
  "subject-token-service-account",
];

/** Variables that add roots to every request, as `--certificate-authority` does. A company's machines set them always, so they are passed over, not refused. */
const rootVariables = ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"] as const;

/** Variables that run a command or move the store. */
const guardedVariables = ["BROWSER", "KUBECACHEDIR"] as const;

/** Variables whose values `allow:` may list, beside options; of the endpoint its origin (`https://HOST`), since its path is another in each job. */
export const allowedVariables: readonly string[] = [...guardedVariables, ...rootVariables, endpointVariable];

/** The variables that do not count under `strict`, unless the file lists their value. */
export function variablesNotCounted(env: Readonly<Record<string, string | undefined>>, allow: Readonly<Record<string, readonly string[]>>): readonly string[] {
  return rootVariables.filter((name) => {
    const value = env[name];
    return value !== undefined && value !== "" && !(Object.hasOwn(allow, name) && (allow[name] ?? []).includes(value));
  });
}

/**
 * Checks a `get-token` call under `strict`. A kubeconfig that somebody sent is the attack: its stanza may run a command,
 * move the store or weaken TLS. SERVER_NOT_TRUSTED without cluster info; SETTINGS_INVALID for a guarded option.
 */
export function checkStrict(
  sources: readonly OptionSource[],
  env: Readonly<Record<string, string | undefined>>,
  hasServer: boolean,
  allow: Readonly<Record<string, readonly string[]>>,
): void {
  if (!hasServer)
    fail("SERVER_NOT_TRUSTED", {
      message: "strict needs to know the API server, and kubectl did not name it",
      hint: "set provideClusterInfo: true in the kubeconfig's exec stanza",
    });
  const isAllowed = (name: string, value: string) => Object.hasOwn(allow, name) && (allow[name] ?? []).includes(value);
  // What the file lists of any other option (issuers, clients) is all that may be given: somebody else's client is another audience.
  const listed = Object.keys(allow).filter((name): name is OptionName => isOptionName(name) && name !== "token-cache-storage" && !guarded.includes(name));
  const refuse = (name: string) =>
    fail("SETTINGS_INVALID", {
      message: `strict does not allow ${name} from a kubeconfig or the environment`,
      hint: "list the value under allow: in the configuration file that says strict",
    });
  for (const source of sources.filter(({ isOwnFile }) => isOwnFile !== true)) {
    for (const name of guarded) {
      for (const value of source.options[name] ?? []) if (value !== "" && value !== "false" && !isAllowed(name, value)) refuse(`--${name}`);
    }
    for (const name of listed) for (const value of source.options[name] ?? []) if (value !== "" && !isAllowed(name, value)) refuse(`--${name}`);
    for (const value of source.options["token-cache-storage"] ?? [])
      if (value.startsWith("helper:") && !isAllowed("token-cache-storage", value)) refuse(`--token-cache-storage=${safeText(value, 60)}`);
  }
  checkMachine(sources, isAllowed);
  for (const name of guardedVariables) {
    const value = env[name];
    if (value !== undefined && value !== "" && !isAllowed(name, value)) refuse(name);
  }
}

/** What makes a call ask for the machine's own token, and send it to the issuer, with no person who could wonder. */
const subjectOptions: readonly OptionName[] = ["identity", "subject-token-file", "subject-token-variable", "subject-token-command", "subject-token-service-account"];
const subjectGrants: readonly string[] = ["token-exchange", "jwt-bearer", "subject-token"];

/** A kubeconfig could name any file of ours as that token, and any server as its issuer. */
function checkMachine(sources: readonly OptionSource[], isAllowed: (name: string, value: string) => boolean): void {
  const foreign = sources.filter(({ isOwnFile }) => isOwnFile !== true);
  const says = (source: OptionSource, name: OptionName) => (source.options[name] ?? []).filter((value) => value !== "");
  const asks = foreign.some((source) => subjectOptions.some((name) => says(source, name).length > 0) || says(source, "grant-type").some((grant) => subjectGrants.includes(grant)));
  if (!asks || foreign.every((source) => says(source, "oidc-issuer-url").every((issuer) => isAllowed("oidc-issuer-url", issuer)))) return;
  fail("SETTINGS_INVALID", {
    message: "strict sends this machine's own token only to issuers that the configuration file lists",
    hint: "list the issuer under allow: oidc-issuer-url in the configuration file that says strict",
  });
}
