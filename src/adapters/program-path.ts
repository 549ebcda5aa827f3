import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { searchFolders } from "../core/program-search.ts";

/**
 * The program that a name means, as an absolute path; undefined when there is none. Only absolute folders of the PATH count, and a path must
 * be absolute itself: what lies in the working directory came with somebody's archive or repository. On Windows `.exe` and `.com` only:
 * batch files would bring a shell.
 */
export function findProgram(name: string, env: Readonly<Record<string, string | undefined>>, platform: string): string | undefined {
  const isWindows = platform === "win32";
  const files = isWindows && !/\.(exe|com)$/i.test(name) ? [`${name}.exe`, `${name}.com`] : [name];
  if (isAbsolute(name)) return files.find(isProgram);
  if (name === "" || /[/\\]/.test(name)) return undefined;
  const path = isWindows ? Object.entries(env).find(([variable]) => /^path$/i.test(variable))?.[1] : env["PATH"];
  return searchFolders(path, platform)
    .flatMap((folder) => files.map((file) => join(folder, file)))
    .find(isProgram);
}

/** True for a file that may be executed. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
