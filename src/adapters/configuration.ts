import { join } from "node:path";
import { isOidcError } from "../errors/oidc-error.ts";
import { readConfigFile } from "./config-file.ts";
import type { ConfigFile } from "./config-text.ts";
import { expandPath, type Places } from "./paths.ts";

/** The configuration files that count for a call. */
export interface Configuration {
  readonly machine: ConfigFile | undefined;
  readonly user: ConfigFile | undefined;
  /** Says strict, and cannot be moved away by a variable: the machine's, or the person's in the home of the user database. */
  readonly fixed: readonly ConfigFile[];
  /** False when `user` lies where a variable pointed, while a fixed one is strict: a kubeconfig may have pointed there. */
  readonly isUsersOwn: boolean;
  /** Every file that was looked for, present or not. */
  readonly looked: readonly string[];
}

/**
 * Reads the machine-wide file and the person's (cli.md M15); KUBECTL_OIDC_CONFIG names another than the latter, never under strict.
 * `strict` is looked for in the person's real home too: with HOME or XDG_CONFIG_HOME in its `env`, a kubeconfig could point
 * past the file that says so. The codes of `readConfigFile`.
 */
export function readConfiguration(where: Places, env: Readonly<Record<string, string | undefined>>): Configuration {
  const machine = readConfigFile(where.machineConfig);
  const usual = join(where.config, "config.yaml");
  const home = where.fixed === undefined ? undefined : join(where.fixed.config, "config.yaml");
  const atHome = home === undefined || home === usual ? undefined : readIfReachable(home);
  const usersFile = readConfigFile(usual);
  const fixed = [machine, usual === home ? usersFile : atHome].flatMap((file) => (file?.strict === true ? [file] : []));
  const named = env["KUBECTL_OIDC_CONFIG"];
  const isOther = named !== undefined && named !== "" && fixed.length === 0 && usersFile?.strict !== true;
  const other = isOther ? expandPath(named, where.home, ".") : undefined;
  return {
    machine,
    user: other === undefined ? usersFile : readConfigFile(other, { mustExist: true }),
    fixed,
    isUsersOwn: fixed.length === 0 || usual === home,
    looked: [where.machineConfig, usual, ...(home === undefined || home === usual ? [] : [home]), ...(other === undefined ? [] : [other])],
  };
}

/** A home that this process may not enter (a sandboxed service) holds nothing that it could be told; no kubeconfig can bring that about. */
function readIfReachable(path: string): ConfigFile | undefined {
  try {
    return readConfigFile(path);
  } catch (error) {
    if (isOidcError(error) && error.code === "STORE_UNREADABLE") return undefined;
    throw error;
  }
}
