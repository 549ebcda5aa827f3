import { fail } from "../errors/oidc-error.ts";
import type { OptionName } from "./flag-table.ts";
import type { OptionSource } from "./settings.ts";

/** What a kubeconfig or an environment may not decide under `strict`, unless the file allows that value (cli.md M10). */
const guarded: readonly OptionName[] = [
  "browser-command",
  "token-cache-dir",
  "insecure-skip-tls-verify",
  "certificate-authority",
  "certificate-authority-data",
  "allow-non-loopback",
  "oidc-request-header",
  "open-url-after-authentication",
];

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
  const refuse = (name: string) =>
    fail("SETTINGS_INVALID", {
      message: `strict does not allow ${name} from a kubeconfig or the environment`,
      hint: "list the value under allow: in the configuration file that says strict",
    });
  for (const source of sources.filter(({ isOwnFile }) => isOwnFile !== true)) {
    for (const name of guarded) {
      for (const value of source.options[name] ?? []) if (value !== "" && value !== "false" && !isAllowed(name, value)) refuse(`--${name}`);
    }
    for (const value of source.options["token-cache-storage"] ?? [])
      if (value.startsWith("helper:") && !isAllowed("token-cache-storage", value)) refuse(`--token-cache-storage=${value}`);
  }
  for (const name of ["BROWSER", "KUBECACHEDIR"]) {
    const value = env[name];
    if (value !== undefined && value !== "" && !isAllowed(name, value)) refuse(name);
  }
}
