import { spawn } from "node:child_process";
import { release } from "node:os";
import { splitCommand } from "../core/split-command.ts";
import type { Browser } from "../ports.ts";
import { childEnvironment } from "./child-environment.ts";

/** Milliseconds for a launcher to start, or to fail at once. */
const startDeadline = 2_000;

export interface BrowserOptions {
  /** `--browser-command`. */
  readonly command: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
}

/**
 * `--browser-command`, then `$BROWSER` (a colon list; `%s` stands for the URL), then the system's launcher. Never a shell:
 * the URL is one argument. The child leads its own session and holds none of our pipes, so kubectl never waits for it.
 */
export function systemBrowser(options: BrowserOptions): Browser {
  const { env, platform } = options;
  const chosen = commandsOf(options);
  return {
    available: () => chosen.length > 0 || hasLauncher(env, platform),
    async open(url) {
      for (const words of chosen) if (await start(words, url, env)) return true;
      // A command that was chosen and does not start is said, not replaced: the person wants that one.
      if (chosen.length > 0 && options.command !== undefined) return false;
      return hasLauncher(env, platform) && (await openWithSystem(url));
    },
  };
}

function commandsOf({ command, env, platform }: BrowserOptions): readonly (readonly string[])[] {
  const texts = command !== undefined ? [command] : (env["BROWSER"] ?? "").split(platform === "win32" ? ";" : ":");
  return texts.flatMap((text) => {
    const words = splitCommand(text);
    return words === undefined || words.length === 0 ? [] : [words];
  });
}

/** Linux has a browser only with a display, or as WSL with Windows'; macOS and Windows always have one. */
function hasLauncher(env: BrowserOptions["env"], platform: string): boolean {
  if (platform === "darwin") return !env["SSH_CONNECTION"] && !env["SSH_TTY"];
  if (platform === "win32") return true;
  return Boolean(env["DISPLAY"] || env["WAYLAND_DISPLAY"]) || /microsoft/i.test(release());
}

function start(words: readonly string[], url: string, env: BrowserOptions["env"]): Promise<boolean> {
  const [program = "", ...args] = words;
  const filled = args.some((arg) => arg.includes("%s")) ? args.map((arg) => arg.replaceAll("%s", () => url)) : [...args, url];
  return new Promise((resolve) => {
    const child = spawn(program, filled, { detached: true, stdio: "ignore", env: childEnvironment(env), windowsHide: true });
    const timer = setTimeout(() => resolve(true), startDeadline);
    const settle = (started: boolean) => {
      clearTimeout(timer);
      resolve(started);
    };
    child.once("error", () => settle(false));
    child.once("spawn", () => {
      child.unref();
      settle(true);
    });
  });
}

/** The `open` package starts xdg-open, `open` or PowerShell, detached and without our pipes. */
async function openWithSystem(url: string): Promise<boolean> {
  try {
    const { default: open } = await import("open");
    (await open(url, { wait: false })).on("error", () => undefined);
    return true;
  } catch {
    return false;
  }
}
