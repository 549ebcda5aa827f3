import { rmSync } from "node:fs";
import { join } from "node:path";
import { type HelperFault, writeHelper } from "./helper.ts";
import { type Ended, type Home, newHome, type Program } from "./home.ts";
import { startRotatingIssuer } from "./issuer.ts";
import { type Seen, type Verdict, judge } from "./judge.ts";
import { type Keyring, type KeyringFault, startKeyring } from "./keyring.ts";
import type { Round, Storage } from "./rounds.ts";

/** Deadlines of the program are this many times shorter while the issuer does not answer, or they are stopped. */
const haste = 8;

/** One round after the other, with an issuer, a keychain and a home for each storage of its own. */
export interface Lane {
  play(round: Round): Promise<{ readonly verdict: Verdict; readonly seen?: Seen }>;
  /** The operations of one refresh without a fault. */
  countOperations(storage: Storage): Promise<readonly string[]>;
  stop(): Promise<void>;
}

interface Session {
  readonly home: Home;
  readonly failHelper: (how: HelperFault | undefined) => void;
}

export async function startLane(program: Program, folder: string): Promise<Lane> {
  const issuer = await startRotatingIssuer();
  const sessions = new Map<Storage, Promise<Session>>();
  const state: { keyring?: Promise<Keyring>; homes: number } = { homes: 0 };
  const keyringOf = () => {
    state.keyring ??= startKeyring();
    return state.keyring;
  };
  const args = (storage: Storage, ...more: readonly string[]) => [
    "get-token",
    `--oidc-issuer-url=${issuer.url}`,
    "--oidc-client-id=kubernetes",
    `--token-cache-storage=${storage === "helper" ? "helper:faults" : storage}`,
    "--listen-address=127.0.0.1:0",
    "--skip-open-browser",
    ...more,
  ];
  const refresh = (storage: Storage) => args(storage, "--force-refresh", "--non-interactive");

  /** A home that is logged in: that of the rounds before, while its session lives. */
  function sessionFor(storage: Storage): Promise<Session> {
    const known = sessions.get(storage) ?? logIn(storage);
    sessions.set(storage, known);
    return known;
  }

  async function logIn(storage: Storage): Promise<Session> {
    const inside = join(folder, `${storage}-${++state.homes}`);
    const helper = storage === "helper" ? writeHelper(`${inside}.vault`) : undefined;
    const bus = storage === "keyring" ? (await keyringOf()).env : {};
    const home = newHome(program, inside, { ...bus, ...(helper === undefined ? {} : { PATH: `${helper.folder}:${process.env["PATH"]}` }) });
    await logInByBrowser(home, args(storage));
    return { home, failHelper: (how) => helper?.fail(how) };
  }

  async function forget(storage: Storage): Promise<void> {
    const session = await sessions.get(storage);
    sessions.delete(storage);
    session?.home.remove();
    if (session !== undefined) rmSync(`${session.home.folder}.vault`, { recursive: true, force: true });
  }

  async function act(round: Round, { home, failHelper }: Session): Promise<Seen> {
    const { storage, fault } = round;
    const keyring = storage === "keyring" ? await keyringOf() : undefined;
    const failing = fault.where === "store" ? fault.action : fault.where === "program" ? fault.store : undefined;
    if (round.aged) home.ageToken();
    issuer.begin({
      graceMs: round.grace ? 60_000 : 0,
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
    const { asked, refreshes } = issuer;
    const operations = home.operations();
    failHelper(undefined);
    await keyring?.cure();
    const next: (Ended & { readonly refreshes: readonly string[]; readonly isNewest: boolean })[] = [];
    while (next.length < 2 && next.at(-1)?.isNewest !== true) {
      issuer.begin({ graceMs: round.grace ? 60_000 : 0 });
      const ended = await home.start(refresh(storage)).ended;
      next.push({ ...ended, refreshes: issuer.refreshes, isNewest: ended.status === 0 && issuer.refreshes.length > 0 && ended.stdout.includes(issuer.newest) });
    }
    return { run, operations, asked, refreshes, next, processes: await processesOf(home) };
  }

  return {
    async play(round) {
      try {
        const session = await sessionFor(round.storage);
        const seen = await act(round, session);
        const verdict = judge(round, seen, session.home);
        if (verdict.result === "kept") removeLeftovers(session.home);
        else await forget(round.storage);
        return { verdict, seen };
      } catch (error) {
        await forget(round.storage).catch(() => sessions.delete(round.storage));
        return { verdict: { result: "broken", faults: [`the round itself failed: ${error instanceof Error ? error.message : "unknown"}`] } };
      }
    },
    async countOperations(storage) {
      const { home } = await sessionFor(storage);
      issuer.begin({ newKey: true });
      await home.start(refresh(storage), { salt: 0, haste: 1 }).ended;
      return home.operations();
    },
    async stop() {
      for (const storage of [...sessions.keys()]) await forget(storage).catch(() => undefined);
      await (await state.keyring)?.stop();
      await issuer.stop();
    },
  };
}

/** Runs a call that logs in, and plays its browser. */
export async function logInByBrowser(home: Home, args: readonly string[]): Promise<void> {
  const started = home.start(args);
  const url = (await started.sees(/open this URL in your browser: (\S+)/))?.[1];
  if (url !== undefined) await browse(url);
  const { status, stderr } = await started.ended;
  if (status !== 0) throw new Error(`the login ended with ${status}: ${stderr.split("\n")[0]}`);
}

/** The issuer redirects at once; our listener shows its page. */
export async function browse(url: string): Promise<void> {
  const location = (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
  await (await fetch(location)).text();
}

/** What ends by itself is given its time: a keychain child ends a second after its deadline, whatever happens. */
async function processesOf(home: Home): Promise<readonly string[]> {
  for (const until = Date.now() + 7_000; ; await new Promise((done) => setTimeout(done, 100))) {
    const found = home.processes();
    if (found.length === 0 || Date.now() > until) return found;
  }
}

/** Their harm was looked for; a later round must find its own only. */
function removeLeftovers(home: Home): void {
  for (const { path } of home.files()) if (path.endsWith(".tmp")) rmSync(path);
}
