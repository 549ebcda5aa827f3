import { relative } from "node:path";
import type { Ended, Home } from "./home.ts";
import { refreshTokenMark } from "./ledger.ts";
import { ownFault, wentOn } from "./operations.ts";
import type { Round } from "./rounds.ts";

/** A call after the faulty run, without any fault. */
export interface NextCall extends Ended {
  readonly refreshes: readonly string[];
  /** It printed the token that the issuer made last, in this call. */
  readonly isNewest: boolean;
}

/** What was seen of a round. */
export interface Seen {
  readonly run: Ended;
  readonly operations: readonly string[];
  /** Refresh requests of the faulty run, and what became of them. */
  readonly asked: number;
  readonly refreshes: readonly string[];
  /** It printed the token that the issuer made last. */
  readonly isNewest: boolean;
  /** Until one is the newest, two at most; and one more when somebody else was not done by then. */
  readonly next: readonly NextCall[];
  /** What such a call takes now, when one of them was slow. Milliseconds. */
  readonly usual: number;
  /** Processes that were still there some time after all this. */
  readonly processes: readonly string[];
}

/** `lost`: while the answer was on its way, which nobody can help. */
export type Verdict = { readonly result: "kept" | "lost" } | { readonly result: "broken"; readonly faults: readonly string[] };

/** A call may not be held up by what a crashed one left. Milliseconds; a refresh takes some 300. */
export const longestNext = 3_000;

export function judge(round: Round, seen: Seen, home: Home): Verdict {
  const faults = [...faultsOfRun(round, seen), ...faultsOfRest(round, seen, home)];
  const inWindow = !round.grace && mayBeUnknown(round, seen);
  const healed = seen.next.at(-1);
  const isLost = healed?.isNewest !== true;
  if (isLost && !inWindow) faults.push(`the session is lost: ${reason(seen.next.find(({ isNewest }) => !isNewest))}`);
  const isNamed = [seen.run, ...seen.next].some(({ stderr }) => /\[(SESSION_REVOKED|LOGIN_REQUIRED)\]/.test(stderr));
  if (isLost && inWindow && !isNamed) faults.push(`the loss has another name: ${reason(seen.next[0])}`);
  if (!isLost && seen.next[0]?.isNewest !== true) faults.push(`only the second call worked: ${reason(seen.next[0])}`);
  for (const { ms } of seen.next) if (ms > longestNext && ms > 3 * seen.usual) faults.push(`the next call took ${Math.round(ms)} ms`);
  const spentAgain = seen.next.flatMap(({ refreshes }) => refreshes).filter((result) => result !== "rotated");
  if (spentAgain.length > 0 && !mayBeUnknown(round, seen)) faults.push(`a spent refresh token was sent again (${spentAgain.join(", ")})`);
  if (faults.length > 0) return { result: "broken", faults };
  return { result: isLost ? "lost" : "kept" };
}

const reason = (ended: Ended | undefined) => ended?.stderr.split("\n").slice(0, 2).join(" ").replaceAll("kubectl-oidc: ", "").trim() || `status ${ended?.status ?? ended?.signal}`;

/** The issuer spent the token, and the program had no chance to keep the new one. */
function mayBeUnknown(round: Round, seen: Seen): boolean {
  const { fault } = round;
  // The answer lay in its socket all the time.
  if (fault.where === "issuer" && fault.action === "pause") return false;
  // These store it late, or without saying so; the others never.
  const storeFails = fault.where === "store" ? fault.action !== "orphan" && fault.action !== "kill-parent-late" : fault.where === "program" && fault.store !== undefined;
  const powerCut = fault.where === "program" && fault.action.startsWith("power-");
  return seen.refreshes.length > 0 && !wentOn(seen.operations, { storeFails, powerCut });
}

function faultsOfRun(round: Round, { run, operations, asked, refreshes, isNewest }: Seen): string[] {
  const own = ownFault(operations);
  const faults: string[] = own === undefined ? [] : [`the ring itself failed: ${own}`];
  const { fault, grace } = round;
  const killed = run.signal === "SIGKILL";
  const mayBeKilled = fault.where === "issuer" ? fault.action === "kill" : fault.where === "program" ? /kill|power/.test(fault.action) : /parent|orphan/.test(fault.action);
  if (killed && !mayBeKilled) faults.push("it had to be killed");
  if (run.ms > (fault.where === "issuer" ? 12_000 : 16_000)) faults.push(`it took ${Math.round(run.ms)} ms`);
  if (!killed && !allowedStatuses(round).includes(run.status ?? -1)) faults.push(`it ended with ${run.status ?? run.signal}: ${reason(run)}`);
  if (!killed && (run.status === 0) !== (run.stdout !== "")) faults.push(`status ${run.status} with ${run.stdout.length} characters on stdout`);
  if (run.stdout !== "" && !isExecCredential(run.stdout)) faults.push("stdout is not one ExecCredential");
  const lines = run.stderr.split("\n").filter((line) => line !== "" && !line.startsWith("kubectl-oidc: warning:"));
  if (lines.length > 3) faults.push(`${lines.length} lines on stderr`);
  if (/faults-(refresh|access)-|eyJ/.test(run.stderr)) faults.push("stderr holds a secret");
  // One retry at once, where no answer came.
  const most = fault.where === "issuer" && (fault.action === "cut" || fault.action === "hold") && fault.point !== "judging" && fault.point !== "after-answer" ? 2 : 1;
  if (asked > most) faults.push(`${asked} refresh requests`);
  if (fault.where === "issuer" && fault.action === "cut" && most === 2) {
    if (asked !== 2) faults.push("it did not try once more");
    if (!isNewest && (grace || fault.point === "before-commit")) faults.push("the second try would have brought a token");
  }
  if (refreshes.length > 1 && fault.where === "issuer" && fault.point === "after-answer") faults.push("an answer that came was asked for again");
  return faults;
}

/** 0: a token was printed (new, or the cached one). 20: the issuer refused the retry. 30: the issuer's fault. 50: this computer's. */
function allowedStatuses({ fault, grace, aged }: Round): readonly number[] {
  const withoutCache = (status: number) => (aged ? [0, status] : [0]);
  if (fault.where === "store") return fault.action === "refuse-get" ? [50] : [0];
  if (fault.where === "program") return withoutCache(50);
  const retried = !grace && (fault.point === "after-commit" || fault.point === "mid-answer") && (fault.action === "cut" || fault.action === "hold");
  return [...withoutCache(30), ...(retried ? [20] : [])];
}

function isExecCredential(text: string): boolean {
  try {
    const { kind, status } = JSON.parse(text) as { readonly kind?: unknown; readonly status?: { readonly token?: unknown; readonly expirationTimestamp?: unknown } };
    return (
      text.endsWith("}\n") && kind === "ExecCredential" && /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(String(status?.token)) && Date.parse(String(status?.expirationTimestamp)) > Date.now()
    );
  } catch {
    return false;
  }
}

/** What a round leaves behind. */
function faultsOfRest(round: Round, { processes }: Seen, home: Home): string[] {
  const faults = processes.map((process) => `still running: ${process}`);
  const { fault } = round;
  // A killed program cannot clear away, and nobody can on a read-only disk.
  const cannotClear = /kill|power|orphan|EROFS/.test(fault.action);
  for (const { path, text } of home.files()) {
    const name = relative(home.data, path);
    if (text.includes(refreshTokenMark) && !(round.storage === "disk" && name.startsWith("refresh/"))) faults.push(`a refresh token lies in ${name}`);
    if (name.endsWith(".tmp") && !cannotClear) faults.push(`left behind: ${name}`);
    if (name.endsWith(".corrupt")) faults.push(`damaged: ${name}`);
  }
  return faults;
}
