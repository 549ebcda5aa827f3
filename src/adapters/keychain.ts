import type { ChildProcess } from "node:child_process";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { SecretStore } from "../ports.ts";
import type { KeychainAnswer, KeychainRequest } from "./keychain-protocol.ts";
import type { ChildCommand } from "./own-program.ts";
import { keychainTalk } from "./keychain-talk.ts";

export interface KeychainOptions {
  /** What starts the keychain's program (keychain-child.ts). */
  readonly childCommand: ChildCommand;
  /** It runs already. */
  readonly started?: ChildProcess | undefined;
  /** May the platform ask the person to unlock? */
  readonly mayPrompt: boolean;
  /** Milliseconds for one operation; then the child is killed. */
  readonly deadlineMs: number;
  readonly service?: string;
  /** Milliseconds until a child that is not asked again is ended; 5,000 when not given: a login may wait three minutes for its person. */
  readonly idleMs?: number;
}

/** The OS keychain behind a child process of ours. KEYCHAIN_UNAVAILABLE, KEYCHAIN_LOCKED, KEYCHAIN_TIMED_OUT. */
export function keychainStore(options: KeychainOptions): SecretStore {
  const talk = keychainTalk(options.childCommand, options.idleMs ?? 5_000, options.started);
  const ask = async (op: KeychainRequest["op"], account: string, value?: string) => {
    const request: KeychainRequest = {
      op,
      service: options.service ?? "kubectl-oidc",
      account,
      mayPrompt: options.mayPrompt,
      deadlineMs: options.deadlineMs,
      ...(value === undefined ? {} : { value }),
    };
    const answer = await talk(request);
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
    // What it does not take goes to the sealed journal.
    prepare: async () => ({ giveBack: () => undefined }),
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
