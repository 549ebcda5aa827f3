import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import { childEnvironment } from "./child-environment.ts";
import { deadline } from "./deadline.ts";
import { type KeychainAnswer, type KeychainRequest, parseKeychainAnswer } from "./keychain-protocol.ts";

/** No answer is longer: an item holds some KB. Characters. */
const longestAnswer = 4_194_304;

/** The keychain's program: an absolute path, and its arguments. */
export type ChildCommand = readonly [string, ...string[]];

/** One request to the keychain's program; its deadline stands in it. Never rejects. */
export type KeychainTalk = (request: KeychainRequest) => Promise<KeychainAnswer>;

/**
 * Talks with the keychain child, which is started at the first request and stays for the next ones. It leads its own process
 * group, so that the terminal's Ctrl-C leaves a write whole; its stdin stays open, so that it sees us go. Secrets are in the pipes only.
 */
export function keychainTalk(childCommand: ChildCommand, idleMs: number): KeychainTalk {
  const state: { child: ChildProcess | undefined; idle: NodeJS.Timeout | undefined; last: Promise<unknown> | undefined } = { child: undefined, idle: undefined, last: undefined };

  function dismiss(): void {
    clearTimeout(state.idle);
    if (state.child !== undefined) end(state.child);
    state.child = undefined;
  }

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

/** Undefined when the system refuses at once (no memory, an environment too large); other refusals come as an `error` event. */
function startChild([program, ...args]: ChildCommand): ChildProcess | undefined {
  try {
    const child = spawn(program, args, {
      stdio: ["pipe", "pipe", "ignore"],
      detached: process.platform !== "win32",
      windowsHide: true,
      // It makes no TLS, and to read its authorities takes Node 20 some 40 ms.
      env: { ...childEnvironment(process.env), NODE_EXTRA_CA_CERTS: "" },
    });
    // It and its pipes keep nobody waiting; the deadline of a request does.
    child.unref();
    for (const pipe of [child.stdin, child.stdout]) if (pipe instanceof Socket) pipe.unref();
    child.stdin?.on("error", () => undefined);
    child.stdout?.setEncoding("utf8");
    return child;
  } catch {
    return undefined;
  }
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
