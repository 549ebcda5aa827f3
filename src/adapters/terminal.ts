import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { safeLine } from "../core/untrusted-text.ts";
import { OidcError } from "../errors/oidc-error.ts";
import type { Terminal } from "../ports.ts";
import { type StderrWriter, stderrWriter } from "./stderr-writer.ts";

/** A pasted URL is never longer. Characters. */
const longestLine = 65_536;

/**
 * stderr, and stdin when a person sits there. Lines are written at once and whole: kubectl shows our stderr as it comes,
 * and a process that ends must have said everything. The writer's last gate lets only safe characters through.
 */
export function terminal({ verbosity }: { readonly verbosity: number }): Terminal {
  const warned = new Set<string>();
  const write = stderrWriter();
  const say = (line: string) => write(line);
  return {
    stdinIsTerminal: process.stdin.isTTY === true,
    stderrIsTerminal: process.stderr.isTTY === true,
    say,
    warn(text) {
      if (warned.has(text)) return;
      warned.add(text);
      say(`kubectl-oidc: warning: ${text}`);
    },
    log(level, text) {
      if (verbosity >= level) say(`kubectl-oidc: ${text}`);
    },
    ask: (prompt, options) => ask(prompt, options, write),
  };
}

/** One line of stdin, cut at `longestLine`. INTERRUPTED when the signal aborts, at Ctrl-C, and at the end of the input. */
function ask(prompt: string, { hidden, signal }: { readonly hidden: boolean; readonly signal: AbortSignal }, write: StderrWriter): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new OidcError("INTERRUPTED", {}));
    process.stdin.ref?.();
    // Readline echoes what it reads to its output; a hidden answer's echo goes nowhere.
    const echo = hidden ? new Writable({ write: (_chunk, _encoding, done) => done() }) : safeEcho();
    const lines = createInterface({ input: process.stdin, output: echo, terminal: process.stdin.isTTY === true, historySize: 0, prompt: "" });
    // After raw mode is on: what is typed in answer to the prompt must not be echoed by the terminal itself.
    write(prompt, "");
    const end = (settle: () => void) => {
      signal.removeEventListener("abort", interrupted);
      // Only ours: readline cleans up, and stops to echo, in a "close" listener of its own.
      lines.off("close", interrupted);
      lines.close();
      // Otherwise stdin would keep the process alive.
      process.stdin.pause();
      process.stdin.unref?.();
      settle();
    };
    const interrupted = () => {
      write("");
      end(() => reject(new OidcError("INTERRUPTED", {})));
    };
    lines.once("line", (line) => {
      if (hidden) write("");
      end(() => resolve(line.slice(0, longestLine)));
    });
    // In raw mode Ctrl-C is a key, not a signal: the other waits of this process must end too.
    lines.once("SIGINT", () => {
      process.kill(process.pid, "SIGINT");
      interrupted();
    });
    lines.once("close", interrupted);
    signal.addEventListener("abort", interrupted, { once: true });
  });
}

/**
 * stderr for readline: its own escape sequences pass, and of what is beyond ASCII only what is safe. A code that somebody gave the person to
 * paste may hold C1 controls, which terminals obey too; readline takes the others for keys.
 */
function safeEcho(): Writable {
  const echo = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      process.stderr.write(String(chunk).replace(/[^\p{ASCII}]+/gu, safeLine));
      done();
    },
  });
  // Readline wraps long lines by it.
  return Object.defineProperty(echo, "columns", { get: () => process.stderr.columns });
}
