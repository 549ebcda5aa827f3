import childProcess, { type ChildProcess } from "node:child_process";
import type { Recorder } from "./recorder.ts";

/** What a child is asked for: the helper's verb, or the keychain child's `op`. */
const verbOf = (args: readonly string[], request: string) => /"op":"(\w+)"/.exec(request)?.[1] ?? args[0] ?? "";

/** Replaces spawn: the start of a child, each request that it gets, and its answer (or end) are operations. */
export function patchChildren(recorder: Recorder): void {
  const spawn = childProcess.spawn as (file: string, args: readonly string[], options: object) => ChildProcess;
  Object.assign(childProcess, {
    spawn(file: string, args: readonly string[], options: object): ChildProcess {
      const child = recorder.around({ kind: "spawn", about: file.split("/").at(-1) ?? "" }, () => spawn(file, args, options));
      const asked: { verb: string | undefined } = { verb: undefined };
      const answered = () => {
        if (asked.verb !== undefined) recorder.passed({ kind: "answer", about: asked.verb });
        asked.verb = undefined;
      };
      child.once("exit", answered);
      const { stdin } = child;
      if (stdin === null) return child;
      for (const name of ["write", "end"] as const) {
        const original = stdin[name].bind(stdin) as (...chunk: readonly unknown[]) => unknown;
        Object.assign(stdin, {
          [name](...chunk: readonly unknown[]) {
            const [text] = chunk;
            if (typeof text !== "string") return original(...chunk);
            asked.verb = verbOf(args, text);
            // Before the program's own listener: it must not have seen the answer yet.
            child.stdout?.prependOnceListener("data", answered);
            return recorder.around(
              { kind: "stdin", about: asked.verb },
              () => original(...chunk),
              () => original(text.slice(0, text.length / 2)),
            );
          },
        });
      }
      return child;
    },
  });
}
