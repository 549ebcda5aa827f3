import type { ChildProcess } from "node:child_process";
import { deadline } from "./deadline.ts";
import { type KeychainAnswer, type KeychainRequest, parseKeychainAnswer } from "./keychain-protocol.ts";
import { startChild } from "./keychain-start.ts";
import type { ChildCommand } from "./own-program.ts";

/** No answer is longer: an item holds some KB. Characters. */
const longestAnswer = 4_194_304;

/** One request to the keychain's program; its deadline stands in it. Never rejects. */
export type KeychainTalk = (request: KeychainRequest) => Promise<KeychainAnswer>;

/**
 * Talks with the keychain child, which is started at the first request and stays for the next ones. It leads its own process
 * group, so that the terminal's Ctrl-C leaves a write whole; its stdin stays open, so that it sees us go. Secrets are in the pipes only.
 * `started`: one that runs already.
 */
export function keychainTalk(childCommand: ChildCommand, idleMs: number, started?: ChildProcess): KeychainTalk {
  const state: { child: ChildProcess | undefined; idle: NodeJS.Timeout | undefined; last: Promise<unknown> | undefined } = { child: started, idle: undefined, last: undefined };

  function dismiss(): void {
    clearTimeout(state.idle);
    if (state.child !== undefined) end(state.child);
    state.child = undefined;
  }
  // Not asked, it goes as one that is not asked again.
  if (started !== undefined) state.idle = setTimeout(dismiss, idleMs).unref();

  async function ask(request: KeychainRequest): Promise<KeychainAnswer> {
    clearTimeout(state.idle);
    // Both are needed: it may be known to be gone, and then says nothing more; or be gone without that having been seen.
    if (state.child !== undefined && (state.child.exitCode !== null || state.child.signalCode !== null)) dismiss();
    const isReused = state.child !== undefined;
    state.child ??= startChild(childCommand);
    if (state.child === undefined) return { ok: false, fault: "unavailable", reason: "the keychain program cannot be started" };
    const { answer, end: ending } = await oneAnswer(state.child, request);
    if (ending === "answered") state.idle = setTimeout(dismiss, idleMs).unref();
    else dismiss();
    // It died while nobody asked it. Every request may be made twice.
    return ending === "closed" && isReused ? ask(request) : answer;
  }

  return (request) => {
    // At once when nobody is before it: a token that came is in the pipe before anything else runs.
    const answer = state.last === undefined ? ask(request) : state.last.then(() => ask(request));
    const done = () => {
      if (state.last === answer) state.last = undefined;
    };
    state.last = answer;
    answer.then(done, done);
    return answer;
  };
}

interface OneAnswer {
  readonly answer: KeychainAnswer;
  /** `closed`: the child was gone, or went. Only one that answered may be asked again. */
  readonly end: "answered" | "closed" | "given-up";
}

function oneAnswer(child: ChildProcess, request: KeychainRequest): Promise<OneAnswer> {
  return new Promise((resolve) => {
    const settle = (answer: KeychainAnswer, how: OneAnswer["end"]) => {
      stopTimer();
      child
        .removeAllListeners("error")
        .removeAllListeners("close")
        .on("error", () => undefined);
      child.stdout?.removeAllListeners("data");
      resolve({ answer, end: how });
    };
    const unavailable = (reason: string, how: OneAnswer["end"] = "given-up") => settle({ ok: false, fault: "unavailable", reason }, how);
    const stopTimer = deadline(request.deadlineMs, () => settle({ ok: false, fault: "timed-out", reason: `no answer in ${request.deadlineMs / 1000} s` }, "given-up"));
    let text = "";
    child.on("error", () => unavailable("the keychain program cannot be started"));
    child.on("close", () => unavailable("the keychain program ended without an answer", "closed"));
    child.stdout?.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > longestAnswer) return unavailable("the keychain program said too much");
      const at = text.indexOf("\n");
      if (at === -1) return;
      const answer = parseKeychainAnswer(text.slice(0, at));
      if (answer === undefined) unavailable("the keychain program's answer cannot be read");
      else settle(answer, "answered");
    });
    child.stdin?.write(`${JSON.stringify(request)}\n`);
  });
}

/** SIGKILL: a blocked native call heeds nothing else. */
function end(child: ChildProcess): void {
  child.removeAllListeners();
  child.on("error", () => undefined);
  child.stdout?.removeAllListeners();
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.kill("SIGKILL");
}
