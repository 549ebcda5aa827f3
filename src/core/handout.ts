import { mixedName } from "./mixed-name.ts";

/**
 * A note of the credential that one client was handed (cli.md promise 8, M7). client-go asks again before the time it was
 * told only after an HTTP 401, and does not say so; the same client asking again early has met a refusal.
 */
export interface Handout {
  readonly parent: number;
  /** The parent's start time, where it can be had; a reused pid then differs. */
  readonly parentStart: string;
  /** Identifies KUBERNETES_EXEC_INFO and the token; not reversible. */
  readonly tag: string;
  /** Seconds since the epoch that the client was told. */
  readonly askAgainAt: number;
}

/** Short digest of what was asked and what was given. */
export function handoutTag(execInfo: string, token: string): string {
  // The end of the token is its signature, or random: 64 bits of a mixture of it tell two apart, and nobody makes a token of them.
  return mixedName([execInfo, token.slice(-64)]);
}

/** One of 256 slots a credential, so that notes cannot pile up. `credentialName` is the credential file's name. */
export function handoutFile(credentialName: string, parent: number): string {
  return `asked/${credentialName.slice(0, 16)}.${parent & 255}`;
}

/**
 * `…/credentials/NAME.json` → the note of a call that renews it, beside the locks of its store, and how the session's last refresh failed.
 * Undefined for names that are not ours: both come from files, which can be planted.
 */
export function renewalFiles(credentialFile: string, sessionKey: string): { readonly note: string; readonly outcome: string } | undefined {
  const [, store, between, name] = /^(.*[/\\])credentials([/\\])([0-9a-f]{16})[0-9a-f]*\.json$/s.exec(credentialFile) ?? [];
  if (store === undefined || !/^[0-9a-f]{64}$/.test(sessionKey)) return undefined;
  return { note: `${store}locks${between}renewal-${name}`, outcome: `${store}refreshes${between}${sessionKey}.json` };
}

export function handoutText(handout: Handout): string {
  return `${handout.parent} ${handout.parentStart} ${handout.tag} ${handout.askAgainAt}`;
}

/** True when the note says that this very client was handed this very token and should not be back yet. */
export function wasRefused(note: string | undefined, now: { readonly parent: number; readonly parentStart: string; readonly tag: string; readonly now: number }): boolean {
  const [parent, parentStart, tag, askAgainAt] = (note ?? "").split(" ");
  return parent === String(now.parent) && parentStart === now.parentStart && tag === now.tag && now.now < Number(askAgainAt);
}

/** What the hot path found out for the whole program. */
export interface HotFindings {
  /** Of a wait for another call. */
  readonly waited?: Waited | undefined;
  /** This call is to renew the token, and needs the OS keychain for that. */
  readonly needsKeychain?: boolean;
}

/** What the whole program must know of a wait for another call (hot/renewal.ts) that gave no token. */
export interface Waited {
  /** How the last refresh had failed when the wait began (app/refresh-outcome.ts): another text now is the failure of the one that was waited for. */
  readonly outcome: string | undefined;
  /** What ended the wait, and is to end the program: it listens itself by then. */
  readonly signal?: "SIGINT" | "SIGTERM" | "SIGHUP" | undefined;
}
