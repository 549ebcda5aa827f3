import { spawn } from "node:child_process";
import { fail } from "../errors/oidc-error.ts";
import { childEnvironment } from "./child-environment.ts";
import { deadline } from "./deadline.ts";
import { endGroup } from "./end-group.ts";
import { findProgram } from "./program-path.ts";

/** A helper's answer is one small JSON object. Characters. */
const longestAnswer = 1_048_576;
/** What a helper leaves running (gpg-agent) may keep its stdout open; the answer of a helper that ended is whole by then. Milliseconds. */
const lastWords = 200;

export interface HelperAnswer {
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly out: string;
}

/**
 * Runs a credential helper once: a verb, a text on stdin, its stdout. It leads a process group of its own, so that the deadline
 * ends what it started too (gpg, pinentry), and Ctrl-C at the terminal leaves a store whole; a `get` ends with us.
 * KEYCHAIN_UNAVAILABLE when it is missing or cannot be started; KEYCHAIN_TIMED_OUT after `deadlineMs`.
 */
export async function callHelper(program: string, verb: "store" | "get" | "erase", input: string, deadlineMs: number): Promise<HelperAnswer> {
  const path = findProgram(program, process.env, process.platform);
  if (path === undefined) return fail("KEYCHAIN_UNAVAILABLE", { message: `${program} is not on the PATH`, hint: `install ${program}, or choose another --token-cache-storage` });
  const ended = await runToItsEnd(path, verb, input, deadlineMs);
  return "code" in ended ? fail(ended.code, { message: `${program} ${ended.what}` }) : ended;
}

type Fault = { readonly code: "KEYCHAIN_TIMED_OUT" | "KEYCHAIN_UNAVAILABLE"; readonly what: string };

function runToItsEnd(path: string, verb: string, input: string, deadlineMs: number): Promise<HelperAnswer | Fault> {
  return new Promise((resolve) => {
    const child = spawn(path, [verb], { stdio: ["pipe", "pipe", "ignore"], detached: process.platform !== "win32", windowsHide: true, env: childEnvironment(process.env) });
    const timers: NodeJS.Timeout[] = [];
    const withUs = () => endGroup(child);
    const settle = (result: HelperAnswer | Fault) => {
      stopTimer();
      timers.forEach(clearTimeout);
      process.off("exit", withUs);
      child.removeAllListeners().on("error", () => undefined);
      child.stdin?.destroy();
      // Whoever still holds the other end must not keep this program waiting.
      child.stdout?.removeAllListeners().destroy();
      child.unref();
      resolve(result);
    };
    const giveUp = (code: Fault["code"], what: string) => {
      endGroup(child);
      settle({ code, what });
    };
    let out = "";
    const answer = (status: number | null) => settle({ status, out });
    const stopTimer = deadline(deadlineMs, () => giveUp("KEYCHAIN_TIMED_OUT", `did not answer in ${deadlineMs / 1000} s`));
    if (verb === "get") process.once("exit", withUs);
    child.on("error", () => giveUp("KEYCHAIN_UNAVAILABLE", "cannot be started"));
    // setImmediate: what lies in the pipe is read first, also after a pause of this program.
    child.on("exit", (status) => timers.push(setTimeout(() => setImmediate(answer, status), lastWords)));
    child.on("close", answer);
    child.stdin?.on("error", () => undefined);
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      out += chunk;
      if (out.length > longestAnswer) giveUp("KEYCHAIN_UNAVAILABLE", "said too much");
    });
    child.stdin?.end(input);
  });
}
