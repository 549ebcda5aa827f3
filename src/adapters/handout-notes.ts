import { type Handout, handoutFile, handoutTag, handoutText, wasRefused } from "../core/handout.ts";
import type { PrivateFiles } from "../ports.ts";

/** A refused token is refreshed once in this many seconds for one session (cli.md M7). */
const refreshAgainAfter = 300;

/** The client that asks: the parent process and its exact request. */
export interface Client {
  readonly parent: number;
  readonly parentStart: string;
  /** The text of KUBERNETES_EXEC_INFO; notes are kept only for a non-empty one. */
  readonly execInfo: string;
}

/** Notes of what each client was handed, in the default data folder, where the hot path keeps them too. Best effort throughout. */
export interface HandoutNotes {
  /** True when this client was handed this token before, asks again before the time it was told, and no refresh was tried for it lately. Seconds. */
  wasRefused(client: Client, token: string, now: number): boolean;
  /** A refresh because of a refusal was tried. */
  refreshed(now: number): void;
  handed(client: Client, token: string, askAgainAt: number): void;
}

export function handoutNotes(files: PrivateFiles, credentialKey: string, sessionKey: string): HandoutNotes {
  const limiter = `asked/${sessionKey.slice(0, 16)}.refused`;
  const noteOf = (client: Client) => handoutFile(`${credentialKey}.json`, client.parent);
  const bestEffort = <T>(action: () => T): T | undefined => {
    try {
      return action();
    } catch {
      return undefined;
    }
  };
  return {
    wasRefused(client, token, now) {
      if (client.execInfo === "") return false;
      const note = bestEffort(() => files.read(noteOf(client)));
      if (!wasRefused(note, { parent: client.parent, parentStart: client.parentStart, tag: handoutTag(client.execInfo, token), now })) return false;
      const last = Number(bestEffort(() => files.read(limiter)) ?? Number.NaN);
      return !(now - last < refreshAgainAfter && now >= last);
    },
    refreshed(now) {
      bestEffort(() => files.write(limiter, String(now)));
    },
    handed(client, token, askAgainAt) {
      if (client.execInfo === "") return;
      const handout: Handout = { parent: client.parent, parentStart: client.parentStart, tag: handoutTag(client.execInfo, token), askAgainAt };
      bestEffort(() => files.write(noteOf(client), handoutText(handout)));
    },
  };
}
