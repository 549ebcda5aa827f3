import { type ChildProcess, spawn } from "node:child_process";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { SecretStore } from "../ports.ts";
import { childEnvironment } from "./child-environment.ts";
import { type KeychainAnswer, type KeychainRequest, parseKeychainAnswer } from "./keychain-protocol.ts";

/** No answer is longer: an item holds some KB. Characters. */
const longestAnswer = 4_194_304;

export interface KeychainOptions {
  /** The built keychain-child.cjs. */
  readonly childPath: string;
  /** May the platform ask the person to unlock? */
  readonly mayPrompt: boolean;
  /** Milliseconds for one operation; then the child is killed. */
  readonly deadlineMs: number;
  readonly service?: string;
}

/** The OS keychain behind a child process of ours. KEYCHAIN_UNAVAILABLE, KEYCHAIN_LOCKED, KEYCHAIN_TIMED_OUT. */
export function keychainStore(options: KeychainOptions): SecretStore {
  const ask = async (op: KeychainRequest["op"], account: string, value?: string) => {
    const request: KeychainRequest = {
      op,
      service: options.service ?? "kubectl-oidc",
      account,
      mayPrompt: options.mayPrompt,
      deadlineMs: options.deadlineMs,
      ...(value === undefined ? {} : { value }),
    };
    const answer = await askChild(request, options.childPath);
    return answer.ok ? answer.value : failFrom(answer);
  };
  return {
    kind: "keyring",
    keeps: true,
    describe: () => "the OS keychain",
    async probe() {
      await ask("probe", "probe");
    },
    read: (name) => ask("read", name),
    async write(name, value) {
      await ask("write", name, value);
    },
    async remove(name) {
      await ask("remove", name);
    },
  };
}

function failFrom({ fault, reason: said }: Extract<KeychainAnswer, { ok: false }>): never {
  const reason = safeText(said);
  switch (fault) {
    case "locked":
      return fail("KEYCHAIN_LOCKED", { reason });
    case "timed-out":
      return fail("KEYCHAIN_TIMED_OUT", { reason });
    case "unavailable":
      return fail("KEYCHAIN_UNAVAILABLE", { reason });
    default:
      return fault satisfies never;
  }
}

/**
 * One request, one child. It leads its own process group, so that the terminal's Ctrl-C leaves a write whole; its stdin stays
 * open until it answers, so that it sees us go. The secret is in the pipe only.
 */
function askChild(request: KeychainRequest, childPath: string): Promise<KeychainAnswer> {
  return new Promise((resolve) => {
    const child = startChild(childPath);
    if (child === undefined) return resolve({ ok: false, fault: "unavailable", reason: "the keychain program cannot be started" });
    const unavailable = (reason: string) => settle({ ok: false, fault: "unavailable", reason });
    const timer = setTimeout(() => settle({ ok: false, fault: "timed-out", reason: `no answer in ${request.deadlineMs / 1000} s` }), request.deadlineMs);
    let text = "";
    const settle = (answer: KeychainAnswer) => {
      clearTimeout(timer);
      end(child);
      resolve(answer);
    };
    child.on("error", () => unavailable("the keychain program cannot be started"));
    child.stdin?.on("error", () => undefined);
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.length > longestAnswer) return unavailable("the keychain program said too much");
      const at = text.indexOf("\n");
      if (at !== -1) settle(parseKeychainAnswer(text.slice(0, at)) ?? { ok: false, fault: "unavailable", reason: "the keychain program's answer cannot be read" });
    });
    child.on("close", () => unavailable("the keychain program ended without an answer"));
    child.stdin?.write(`${JSON.stringify(request)}\n`);
  });
}

/** Undefined when the system refuses at once (no memory, an environment too large); other refusals come as an `error` event. */
function startChild(childPath: string): ChildProcess | undefined {
  try {
    return spawn(process.execPath, [childPath], {
      stdio: ["pipe", "pipe", "ignore"],
      detached: process.platform !== "win32",
      windowsHide: true,
      env: childEnvironment(process.env),
    });
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
  child.unref();
}
