import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { release } from "node:os";
import { splitCommand } from "../core/split-command.ts";
import type { Browser } from "../ports.ts";
import { childEnvironment } from "./child-environment.ts";

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
 * `--browser-command`, then `$BROWSER` (a colon list; `%s` stands for the URL), then the system's launcher. Never a shell:
 * the URL is one argument. The child leads its own session and holds none of our pipes, so kubectl never waits for it.
 */
export function systemBrowser(options: BrowserOptions): Browser {
  const { command, env, platform, startDeadline = 2_000, isWsl = runsInWsl, launcher = openPackage } = options;
  const chosen = commandsOf(command ?? env["BROWSER"] ?? "", command === undefined ? (platform === "win32" ? ";" : ":") : undefined);
  const hasLauncher = () => hasOwnLauncher(env, platform, isWsl);
  return {
    available: () => command !== undefined || chosen.length > 0 || hasLauncher(),
    async open(url) {
      for (const words of chosen) if (await start(words, url, env, startDeadline)) return true;
      // A command that was chosen and does not start is said, not replaced: the person wants that one.
      if (command !== undefined || !hasLauncher()) return false;
      return (await startsInTime(launcher(url), startDeadline)) || (platform === "linux" && (await start(["x-www-browser"], url, env, startDeadline)));
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

/** A container on WSL has its kernel and not its Windows programs. */
const runsInWsl = () => /microsoft/i.test(release()) && !existsSync("/.dockerenv") && !existsSync("/run/.containerenv");

/** True when it started. What can only be learned later (no such URL handler) is not waited for. */
function start(words: readonly string[], url: string, env: BrowserOptions["env"], deadline: number): Promise<boolean> {
  const [program = "", ...args] = words;
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

/** The `open` package starts xdg-open, macOS' `open` or PowerShell, without our pipes. It gives them this process's environment, which `main` cleaned. */
async function openPackage(url: string): Promise<void> {
  const { default: open } = await import("open");
  (await open(url, { wait: false })).on("error", () => undefined);
}
