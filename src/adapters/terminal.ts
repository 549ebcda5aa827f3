import { safeLine } from "../core/untrusted-text.ts";
import type { Terminal } from "../ports.ts";
import { ask, type Shown } from "./question.ts";
import { eachSecond, stderrWriter } from "./stderr-writer.ts";

/**
 * stderr, and stdin when a person sits there. Lines are written at once and whole: kubectl shows our stderr as it comes,
 * and a process that ends must have said everything. The writer's last gate lets only safe characters through.
 */
export function terminal({ verbosity }: { readonly verbosity: number }): Terminal {
  const warned = new Set<string>();
  const write = stderrWriter();
  // Asked when it matters: the first look at a stream loads Node's streams and sockets, 3 ms.
  const rewrites = () => process.stderr.isTTY === true && process.env["TERM"] !== "dumb";
  const shown: Shown = { make: (action) => action() };
  const say = (line: string) => shown.make(() => write(line));
  return {
    get stdinIsTerminal() {
      return process.stdin.isTTY === true;
    },
    get stderrIsTerminal() {
      return process.stderr.isTTY === true;
    },
    get columns() {
      return process.stderr.isTTY === true ? process.stderr.columns : 0;
    },
    say,
    warn(text) {
      if (warned.has(text)) return;
      warned.add(text);
      say(`kubectl-oidc: warning: ${text}`);
    },
    log(level, text) {
      if (verbosity >= level) say(`kubectl-oidc: ${text}`);
    },
    waiting(line) {
      if (!rewrites()) {
        write(line());
        return { end: () => undefined };
      }
      // One that is as wide as the terminal would wrap, and only its last row be written over.
      const draw = () => write(safeLine(line()).slice(0, Math.max(1, process.stderr.columns - 1)), "in place");
      const timer = setInterval(draw, eachSecond);
      timer.unref();
      shown.make = (action) => {
        write("", "in place");
        action();
        draw();
      };
      draw();
      return {
        end() {
          clearInterval(timer);
          shown.make = (action) => action();
          write("", "in place");
        },
      };
    },
    ask: (prompt, options) => ask(prompt, options, { write, rewrites: rewrites(), shown }),
  };
}
