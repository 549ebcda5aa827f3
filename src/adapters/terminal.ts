import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { OidcError } from "../errors/oidc-error.ts";
import type { Terminal } from "../ports.ts";
import { stderrWriter } from "./stderr-writer.ts";

/** A pasted URL is never longer. Characters. */
const longestLine = 65_536;

/**
 * stderr, and stdin when a person sits there. Lines are written at once and whole: kubectl shows our stderr as it comes,
 * and a process that ends must have said everything. A last filter takes control characters out of every line.
 */
export function terminal({ verbosity }: { readonly verbosity: number }): Terminal {
  const warned = new Set<string>();
  const write = stderrWriter();
  const say = (line: string) => write(`${withoutControls(line)}\n`);
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
    ask: (prompt, options) => ask(withoutControls(prompt), options, write),
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
const withoutControls = (line: string) => line.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, " ");

/** One line of stdin, cut at `longestLine`. INTERRUPTED when the signal aborts, at Ctrl-C, and at the end of the input. */
function ask(prompt: string, { hidden, signal }: { readonly hidden: boolean; readonly signal: AbortSignal }, write: (text: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new OidcError("INTERRUPTED", {}));
    process.stdin.ref?.();
    // Readline echoes what it reads to its output; a hidden answer's echo goes nowhere.
    const echo = hidden ? new Writable({ write: (_chunk, _encoding, done) => done() }) : process.stderr;
    const lines = createInterface({ input: process.stdin, output: echo, terminal: process.stdin.isTTY === true, historySize: 0, prompt: "" });
    // After raw mode is on: what is typed in answer to the prompt must not be echoed by the terminal itself.
    write(prompt);
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
      write("\n");
      end(() => reject(new OidcError("INTERRUPTED", {})));
    };
    lines.once("line", (line) => {
      if (hidden) write("\n");
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
