import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import { safeLine } from "../core/untrusted-text.ts";
import { OidcError } from "../errors/oidc-error.ts";
import type { Terminal } from "../ports.ts";
import { eachSecond, type StderrWriter } from "./stderr-writer.ts";

/** A pasted URL is never longer. Characters. */
const longestLine = 65_536;

/** How a further line comes onto the terminal: past what stands on its last rows. */
export interface Shown {
  make: (action: () => void) => void;
}

interface Stderr {
  readonly write: StderrWriter;
  /** It is a terminal on which what was written can be written over. */
  readonly rewrites: boolean;
  readonly shown: Shown;
}

/** One line of stdin, cut at `longestLine`. INTERRUPTED when the signal aborts, at Ctrl-C, and at the end of the input. */
export function ask(prompt: string, { hidden, signal, above }: Parameters<Terminal["ask"]>[1], stderr: Stderr): Promise<string> {
  const { write } = stderr;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new OidcError("INTERRUPTED", {}));
    process.stdin.ref?.();
    // Readline echoes what it reads to its output; a hidden answer's echo goes nowhere.
    const echo = hidden ? new Writable({ write: (_chunk, _encoding, done) => done() }) : safeEcho();
    const lines = createInterface({ input: process.stdin, output: echo, terminal: process.stdin.isTTY === true, historySize: 0, prompt: "" });
    // After raw mode is on: what is typed in answer to the prompt must not be echoed by the terminal itself.
    const line = above !== undefined && !hidden && stderr.rewrites && process.stdin.isTTY === true ? liveQuestion(lines, prompt, above, stderr.shown) : undefined;
    if (line === undefined) {
      if (above !== undefined) write(above());
      write(prompt, "");
    }
    const end = (settle: () => void) => {
      signal.removeEventListener("abort", interrupted);
      // Only ours: readline cleans up, and stops to echo, in a "close" listener of its own.
      lines.off("close", closed);
      line?.end();
      lines.close();
      // Otherwise stdin would keep the process alive.
      process.stdin.pause();
      process.stdin.unref?.();
      settle();
    };
    const closed = () => {
      write("");
      end(() => reject(new OidcError("INTERRUPTED", {})));
    };
    const interrupted = () => {
      if (line === undefined) return closed();
      line.erase();
      end(() => reject(new OidcError("INTERRUPTED", {})));
    };
    lines.once("line", (text) => {
      if (hidden) write("");
      end(() => resolve(text.slice(0, longestLine)));
    });
    // In raw mode Ctrl-C is a key, not a signal: the other waits of this process must end too.
    lines.once("SIGINT", () => {
      process.kill(process.pid, "SIGINT");
      interrupted();
    });
    lines.once("close", closed);
    signal.addEventListener("abort", interrupted, { once: true });
  });
}

/**
 * The question with a line above it that is made anew every second. Both are readline's own prompt, of two rows: it knows how many rows they and what
 * was typed take, and puts the cursor back where it was.
 */
function liveQuestion(lines: Interface, prompt: string, above: () => string, shown: Shown): { erase(): void; end(): void } {
  const draw = () => {
    // Not through the writer's gate: readline's echo lets ASCII pass.
    lines.setPrompt(`${safeLine(above())}\n${safeLine(prompt)}`);
    lines.prompt(true);
  };
  const erase = () => {
    lines.setPrompt("");
    // What Ctrl-E and Ctrl-U do: to the end of the line, and nothing before it. Readline clears all rows of its own.
    lines.write(null, { ctrl: true, name: "e" });
    lines.write(null, { ctrl: true, name: "u" });
  };
  const timer = setInterval(draw, eachSecond);
  timer.unref();
  shown.make = (action) => {
    const typed = lines.line;
    erase();
    action();
    draw();
    lines.write(typed);
  };
  draw();
  return {
    erase,
    end() {
      clearInterval(timer);
      shown.make = (action) => action();
    },
  };
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
