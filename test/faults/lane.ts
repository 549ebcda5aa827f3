import { rmSync } from "node:fs";
import type { HelperFault } from "./helper.ts";
import type { Home, Program } from "./home.ts";
import { startRotatingIssuer } from "./issuer.ts";
import { judge, longestNext, type NextCall, type Seen, type Verdict } from "./judge.ts";
import type { KeyringFault } from "./keyring.ts";
import type { Round, Storage } from "./rounds.ts";
import { getToken, type Session, sessionsAt } from "./sessions.ts";

/** Deadlines of the program are this many times shorter while the issuer does not answer, or it is stopped. */
const haste = 8;
/** The issuer's, where it has one. Milliseconds. */
const graceMs = 60_000;

export interface Played {
  readonly verdict: Verdict;
  readonly seen?: Seen;
}

/** One round after the other, with sessions that are bound to a key (RFC 9449) or not, with an issuer, a keyring and a home for each storage of its own. */
export interface Lane {
  /** One of the rounds that are this lane's (`isBoundRound`). */
  play(round: Round): Promise<Played>;
  /** The kinds of operation of one refresh without a fault, in their order. */
  course(storage: Storage): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export async function startLane(program: Program, folder: string, isBound: boolean): Promise<Lane> {
  const issuer = await startRotatingIssuer();
  const sessions = sessionsAt(issuer.url, program, folder, isBound);
  const refresh = (storage: Storage) => getToken(issuer.url, storage, "--force-refresh", "--non-interactive");

  async function callAgain({ storage, grace }: Round, home: Home): Promise<NextCall> {
    issuer.begin({ graceMs: grace ? graceMs : 0 });
    const ended = await home.start(refresh(storage)).ended;
    return { ...ended, refreshes: issuer.refreshes, isNewest: ended.status === 0 && issuer.refreshes.length > 0 && ended.stdout.includes(issuer.newest) };
  }

  async function act(round: Round, { home, keyring, failHelper }: Session): Promise<Seen> {
    const { storage, fault } = round;
    const failing = fault.where === "store" ? fault.action : fault.where === "program" ? fault.store : undefined;
    if (round.aged) home.ageToken();
    issuer.begin({
      graceMs: round.grace ? graceMs : 0,
      newKey: fault.where === "program" || (fault.where === "issuer" && fault.point === "judging"),
      ...(fault.where === "issuer" ? { point: fault.point, action: fault.action, delayMs: fault.delayMs } : {}),
      signal: (name) => void started.child.kill(name),
      onCommit: () => (failing === undefined ? undefined : keyring?.fail(failing as KeyringFault)),
    });
    if (storage === "helper") failHelper(failing as HelperFault | undefined);
    const isLong = fault.where === "issuer" && (fault.action === "hold" || fault.action === "pause");
    const local = fault.where === "program" ? { at: fault.at, action: fault.action } : {};
    const started = home.start(refresh(storage), { salt: round.salt, haste: isLong ? haste : 1, ...local });
    const run = await started.ended;
    const { asked, refreshes, newest } = issuer;
    const operations = home.operations();
    if (fault.where === "program" && fault.action.startsWith("power-") && run.signal === "SIGKILL") home.emptyMemory();
    failHelper(undefined);
    await keyring?.cure();
    const next: NextCall[] = [];
    // At once: what a killed call left to others to finish must not harm this one.
    while (next.length < 2 && next.at(-1)?.isNewest !== true) next.push(await callAgain(round, home));
    // On a busy machine everything is slow.
    const usual = next.some(({ ms }) => ms > longestNext) ? (await home.start(refresh(storage)).ended).ms : 0;
    const left = await processesOf(home);
    // What somebody finished late, such as a helper that outlived us, may have overwritten what these calls stored.
    if (left.waited) next.push(await callAgain(round, home));
    return { run, operations, asked, refreshes, isNewest: run.stdout.includes(newest), next, usual, processes: left.processes };
  }

  /** Undefined when the keyring ended though nobody told it to: that says nothing of the program. */
  async function attempt(round: Round): Promise<Played | undefined> {
    const session = await sessions.of(round.storage).catch((error: Error) => error);
    if (session instanceof Error) return { verdict: { result: "broken", faults: [session.message] } };
    const seen = await act(round, session);
    if (session.keyring?.hasEnded()) return undefined;
    const verdict = judge(round, seen, session.home);
    if (verdict.result === "kept") removeLeftovers(session.home);
    else await sessions.forget(round.storage);
    return { verdict, seen };
  }

  return {
    async play(round) {
      const first = await attempt(round);
      if (first !== undefined) return first;
      await sessions.forgetKeyring();
      return (await attempt(round)) ?? { verdict: { result: "broken", faults: ["the keyring's own program ended, twice"] } };
    },
    async course(storage) {
      const { home } = await sessions.of(storage);
      issuer.begin({ newKey: true });
      const { status, signal } = await home.start(refresh(storage), { salt: 0, haste: 1 }).ended;
      const operations = home.operations().map((line) => line.split(" ")[1] ?? "");
      // Without them this storage would have no rounds, and a ring of the others would pass.
      if (status !== 0 || operations.length === 0)
        throw new Error(`a refresh of the ${storage} without a fault ended with ${signal ?? status}, and ${operations.length} operations were seen`);
      return operations;
    },
    async stop() {
      await sessions.stop();
      await issuer.stop();
    },
  };
}

/** What ends by itself is given its time: a keychain child ends a second after its deadline, whatever happens. */
async function processesOf(home: Home): Promise<{ readonly processes: readonly string[]; readonly waited: boolean }> {
  for (const started = Date.now(), waited = { was: false }; ; waited.was = true) {
    const processes = home.processes();
    if (processes.length === 0 || Date.now() - started > 7_000) return { processes, waited: waited.was };
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Their harm was looked for; a later round must find its own only. */
function removeLeftovers(home: Home): void {
  for (const { path } of home.files()) if (path.endsWith(".tmp")) rmSync(path);
}
