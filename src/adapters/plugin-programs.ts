import { realpathSync } from "node:fs";
import { devNull } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { searchFolders } from "../core/program-search.ts";
import { isObject } from "../core/session.ts";
import { childEnvironment } from "./child-environment.ts";
import { outputOf } from "./program-output.ts";
import { findProgram, isProgram } from "./program-path.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Milliseconds. */
const kubectlDeadline = 5_000;
/** Characters. */
const longestAnswer = 65_536;

/** The program that an exec stanza's command means, as client-go finds it: by the PATH, or by the kubeconfig's folder. Links followed. */
export function programOf(command: string, folder: string, env: Environment, platform: string): string | undefined {
  const isPath = /[/\\]/.test(command);
  return real(findProgram(isPath && !isAbsolute(command) ? resolve(folder, command) : command, env, platform));
}

/** Every program of this name on the PATH, the first first, links followed. */
export function programsNamed(name: string, env: Environment, platform: string): readonly string[] {
  const endings = platform === "win32" ? [".exe", ".cmd"] : [""];
  const found = searchFolders(env["PATH"] ?? env["Path"], platform).flatMap((folder) => endings.map((ending) => join(folder, `${name}${ending}`)).filter(isProgram));
  return [...new Set(found.map((path) => real(path) ?? path))];
}

/** The absolute path by which others start the running program: that of the PATH when it leads here, else the one it was called by. */
export function programAsCalled(name: string, called: string, env: Environment, platform: string): { readonly path: string; readonly isOnPath: boolean } {
  const found = findProgram(name, env, platform);
  const isOnPath = found !== undefined && (real(found) === real(called) || platform === "win32");
  return { path: isOnPath ? found : called, isOnPath };
}

/** `v1.36.2`; undefined when there is no kubectl, or it does not say in time. */
export async function kubectlVersion(env: Environment, platform: string): Promise<string | undefined> {
  const program = findProgram("kubectl", env, platform);
  if (program === undefined) return undefined;
  const text = await outputOf(program, ["version", "--client", "-o", "json"], {
    env: { ...childEnvironment(env, platform), ...withoutServers },
    deadlineMs: kubectlDeadline,
    longest: longestAnswer,
  });
  try {
    const version: unknown = JSON.parse(text);
    const client = isObject(version) ? version["clientVersion"] : undefined;
    return isObject(client) && typeof client["gitVersion"] === "string" ? client["gitVersion"] : undefined;
  } catch {
    return undefined;
  }
}

/** Some kubectl (gcloud's, which picks the version that fits the server) ask the server for this, and would start a login by us. */
const withoutServers = { KUBECONFIG: devNull, KUBECTL_OIDC_NON_INTERACTIVE: "true" };

/** The path without links; as it is when that cannot be told. */
export function real(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
