import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import envPaths from "env-paths";
import { dataFolder } from "../core/data-folder.ts";
import type { Settings } from "../core/settings.ts";
import { homeOfUser } from "./user-home.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where things of ours lie when nothing else is said. */
export interface Places {
  /** Memos, notes, and the store unless it is moved. */
  readonly data: string;
  readonly config: string;
  /** The machine-wide configuration file. */
  readonly machineConfig: string;
  readonly home: string;
  /** The person's configuration folder and data folder as the user database has them: no variable moves these. Undefined for a user who is in none. */
  readonly fixed: { readonly config: string; readonly data: string } | undefined;
}

/** env-paths' folders with suffix '', from the environment as it was at the start. */
export function places(platform: string, env: Environment): Places {
  const known = envPaths("kubectl-oidc", { suffix: "" });
  const programData = env["ProgramData"] || "C:\\ProgramData";
  const machine = platform === "win32" ? `${programData}\\kubectl-oidc` : platform === "darwin" ? "/Library/Application Support/kubectl-oidc" : "/etc/kubectl-oidc";
  return {
    data: dataFolder(platform, env) ?? known.data,
    config: known.config,
    machineConfig: join(machine, "config.yaml"),
    home: env["HOME"] || env["USERPROFILE"] || homedir(),
    fixed: fixedPlaces(platform),
  };
}

/** env-paths' folders of the user's own home. A kubeconfig's `env` can set HOME and XDG_*, and `strict` must hold all the same. */
function fixedPlaces(platform: string): Places["fixed"] {
  const home = homeOfUser();
  if (home === undefined) return undefined;
  if (platform === "win32") return { config: join(home, "AppData", "Roaming", "kubectl-oidc", "Config"), data: join(home, "AppData", "Local", "kubectl-oidc", "Data") };
  if (platform === "darwin") return { config: join(home, "Library", "Preferences", "kubectl-oidc"), data: join(home, "Library", "Application Support", "kubectl-oidc") };
  return { config: join(home, ".config", "kubectl-oidc"), data: join(home, ".local", "share", "kubectl-oidc") };
}

/** Where the audit log lies: in the data folder; `isFixed`: of the person's own home, whatever the variables say. */
export function auditFolder({ data, fixed }: Places, isFixed: boolean): string {
  return join((isFixed ? fixed?.data : undefined) ?? data, "audit");
}

/** `~` and `~/…` of a path option, as kubelogin expands them (cli.md M1); then absolute. */
export function expandPath(path: string, home: string, cwd: string): string {
  const expanded = path === "~" ? home : path.startsWith("~/") || path.startsWith("~\\") ? join(home, path.slice(2)) : path;
  return isAbsolute(expanded) ? expanded : resolve(cwd, expanded);
}

/** The settings with every path absolute, and the store's folder when a flag or KUBECACHEDIR moved it. */
export function withPaths(settings: Settings, env: Environment, { home, data }: Pick<Places, "home" | "data">, cwd: string): Settings {
  const expand = (path: string) => expandPath(path, home, cwd);
  const maybe = (path: string | undefined) => (path === undefined ? undefined : expand(path));
  const moved = settings.cacheDirectory ?? (env["KUBECACHEDIR"] ? join(env["KUBECACHEDIR"], "kubectl-oidc") : undefined);
  return {
    ...settings,
    clientSecretFile: maybe(settings.clientSecretFile),
    clientKeyFile: maybe(settings.clientKeyFile),
    clientCertificate: maybe(settings.clientCertificate),
    clientKey: maybe(settings.clientKey),
    subjectTokenFile: maybe(settings.subjectTokenFile),
    caFiles: settings.caFiles.map(expand),
    localServerCert: maybe(settings.localServerCert),
    localServerKey: maybe(settings.localServerKey),
    passwordFile: maybe(settings.passwordFile),
    // The default folder named by hand is still the default one: the same sessions.
    cacheDirectory: moved === undefined || expand(moved) === data ? undefined : expand(moved),
  };
}
