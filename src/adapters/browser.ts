import { spawn } from "node:child_process";
import { splitCommand } from "../core/split-command.ts";
import { openableUrl } from "../core/untrusted-text.ts";
import type { Browser } from "../ports.ts";
import { childEnvironment } from "./child-environment.ts";
import { findProgram } from "./program-path.ts";
import { runsInWsl } from "./surroundings.ts";

export interface BrowserOptions {
  /** `--browser-command`. */
  readonly command: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  /** Milliseconds for a launcher to start, or to fail at once. */
  readonly startDeadline?: number;
  readonly isWsl?: () => boolean;
  /** The system's own launcher; rejects when it could not be started. */
  readonly launcher?: (url: string) => Promise<unknown>;
}

/**
 * `--browser-command`, then `$BROWSER` (a colon list; `%s` stands for the URL), then the system's launcher. Only what `openableUrl` lets
 * through is opened, in its normal form. Never a shell: the URL is one argument, and the program an absolute path. The child leads its own
 * session and holds none of our pipes, so kubectl never waits for it.
 */
export function systemBrowser(options: BrowserOptions): Browser {
  const { command, env, platform, startDeadline = 2_000, isWsl = runsInWsl } = options;
  const startFirst = async (all: readonly (readonly string[])[], url: string) => {
    for (const words of all) if (await start(words, url, { env, platform, deadline: startDeadline })) return true;
    return false;
  };
  // Only `open` finds Windows' PowerShell; elsewhere the launcher has a fixed place or is found on the PATH, absolute folders only.
  const launches = async (url: string) => {
    if (options.launcher !== undefined) return startsInTime(options.launcher(url), startDeadline);
    if (platform === "darwin") return startFirst([["/usr/bin/open"]], url);
    if ((platform === "win32" || isWsl()) && (await startsInTime(openPackage(url), startDeadline))) return true;
    return platform !== "win32" && startFirst([["xdg-open"], ["x-www-browser"]], url);
  };
  const chosen = commandsOf(command ?? env["BROWSER"] ?? "", command === undefined ? (platform === "win32" ? ";" : ":") : undefined);
  const hasLauncher = () => hasOwnLauncher(env, platform, isWsl);
  return {
    available: () => command !== undefined || chosen.length > 0 || hasLauncher(),
    async open(text) {
      const url = openableUrl(text);
      if (url === undefined) return false;
      if (await startFirst(chosen, url)) return true;
      // A command that was chosen and does not start is said, not replaced: the person wants that one.
      return command === undefined && hasLauncher() && launches(url);
    },
  };
}

/** The commands of a text; `separator` stands between them. One that cannot be read is none. */
function commandsOf(text: string, separator: string | undefined): readonly (readonly string[])[] {
  return (separator === undefined ? [text] : text.split(separator)).flatMap((part) => {
    const words = splitCommand(part);
    return words === undefined || words.length === 0 ? [] : [words];
  });
}

/**
 * Linux has a browser only with a display, or as WSL with Windows' own; macOS and Windows always have one. Without a display
 * that came along, a session over SSH would open it on a screen that the person does not see.
 */
function hasOwnLauncher(env: BrowserOptions["env"], platform: string, isWsl: () => boolean): boolean {
  const isRemote = Boolean(env["SSH_CONNECTION"] || env["SSH_TTY"]);
  if (platform === "darwin" || platform === "win32") return !isRemote;
  return Boolean(env["DISPLAY"] || env["WAYLAND_DISPLAY"]) || (!isRemote && isWsl());
}

/** True when it started. What can only be learned later (no such URL handler) is not waited for. */
function start(
  [name = "", ...args]: readonly string[],
  url: string,
  { env, platform, deadline }: { readonly env: BrowserOptions["env"]; readonly platform: string; readonly deadline: number },
): Promise<boolean> {
  const program = findProgram(name, env, platform);
  if (program === undefined) return Promise.resolve(false);
  const filled = args.some((arg) => arg.includes("%s")) ? args.map((arg) => arg.replaceAll("%s", () => url)) : [...args, url];
  const started = new Promise<void>((resolve, reject) => {
    // Throws for some faults (ENOEXEC, ENOTDIR) and emits others (ENOENT, EACCES).
    const child = spawn(program, filled, { detached: true, stdio: "ignore", env: childEnvironment(env), windowsHide: true });
    child.unref();
    // Both stay: a later fault of the child is not ours.
    child.on("error", reject);
    child.on("spawn", resolve);
  });
  return startsInTime(started, deadline);
}

/** False for a start that failed, true for one that worked or is not known to have failed by the deadline. */
async function startsInTime(started: Promise<unknown>, deadline: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, deadline, true);
  });
  try {
    return await Promise.race([started.then(() => true), tooLate]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** The `open` package starts PowerShell by its place in Windows, with an encoded command, without our pipes, in this process's environment, which `main` cleaned. */
async function openPackage(url: string): Promise<void> {
  const { default: open } = await import("open");
  (await open(url, { wait: false })).on("error", () => undefined);
}
