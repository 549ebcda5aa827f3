import fs from "node:fs";
import type { ProgramPlan } from "./program-plan.ts";

/** One thing that the program does and that a crash can fall before or into. */
export interface Operation {
  readonly kind:
    | "open"
    | "write"
    | "truncate"
    | "chmod"
    | "times"
    | "fsync"
    | "rename"
    | "unlink"
    | "mkdir"
    /** A child of ours; `stdin` is the request that it gets whole, `answer` the first that it says, or its end. */
    | "spawn"
    | "stdin"
    | "answer"
    /** To the issuer, and its whole answer. */
    | "request"
    | "response"
    | "stdout"
    | "exit";
  /** Relative to the store's folder; of a child its verb; of a request its method and path. */
  readonly about: string;
}

export interface Recorder {
  /** Runs the operation, unless its number is up. `half` does a part of it. */
  around<T>(operation: Operation, run: () => T, half?: () => void): T;
  /** An operation that happens by itself. */
  passed(operation: Operation): void;
}

type Errno = "ENOSPC" | "EROFS" | "EIO";

/** `powerCut` undoes what was not durable; `fails` says whether an operation meets this errno. */
export function recorder(plan: ProgramPlan, powerCut: (how: "names" | "contents" | "mixed") => void, broken: (errno: Errno) => void): Recorder {
  const write = fs.writeSync;
  const log = fs.openSync(plan.log, "a", 0o600);
  const state = { count: 0 };
  const say = (text: string) => void write(log, text);

  /** A fault of this ring itself must not pass for the program's. */
  function strikeSurely(operation: Operation, half: (() => void) | undefined): void {
    try {
      strike(operation, half);
    } catch (error) {
      say(`? ${error instanceof Error ? error.message : "unknown"}\n`);
      die();
    }
  }

  function strike(operation: Operation, half: (() => void) | undefined): void {
    say(`! ${state.count} ${operation.kind} ${operation.about}\n`);
    const { action } = plan;
    if (action === "ENOSPC" || action === "EROFS" || action === "EIO") broken(action);
    else if (action !== undefined) {
      if (action === "kill-half") half?.();
      else if (action !== "kill") powerCut(action === "power-names" ? "names" : action === "power-contents" ? "contents" : "mixed");
      die();
    }
  }

  function around<T>(operation: Operation, run: () => T, half?: () => void): T {
    state.count++;
    const { count } = state;
    if (count === plan.at) strikeSurely(operation, half);
    const result = run();
    say(`${count} ${operation.kind} ${operation.about}\n`);
    return result;
  }

  return { around, passed: (operation) => around(operation, () => undefined) };
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  // The signal is delivered when the call returns; nothing of the program runs any more.
  for (;;);
}
