/** Variables that decide where our folders lie; part of every memo's inputs. */
export const folderVariables = ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA", "ProgramData"] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * env-paths' data folder (suffix ''), without loading env-paths: the hot path may load `node:fs` only. A test compares
 * the two. Undefined when a variable that it needs is missing: the cold path then asks env-paths itself.
 */
export function dataFolder(platform: string, env: Environment): string | undefined {
  if (platform === "win32") return env["LOCALAPPDATA"] ? `${env["LOCALAPPDATA"]}\\kubectl-oidc\\Data` : undefined;
  if (platform === "darwin") return env["HOME"] ? `${env["HOME"]}/Library/Application Support/kubectl-oidc` : undefined;
  if (env["XDG_DATA_HOME"]) return `${env["XDG_DATA_HOME"]}/kubectl-oidc`;
  return env["HOME"] ? `${env["HOME"]}/.local/share/kubectl-oidc` : undefined;
}
