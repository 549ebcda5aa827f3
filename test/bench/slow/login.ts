import { orderOf } from "../interleaved.ts";
import { type Issuer, startIssuer } from "../parts/issuer.ts";
import type { Kubelogin } from "../parts/kubelogin.ts";
import type { Missing } from "../parts/missing.ts";
import { type Environment, mustRun, said, type Stage } from "../parts/stage.ts";
import type { RowPlan } from "../rows.ts";
import { type Browser, openBrowser } from "./browser.ts";
import { type Caller, openCallers, present, storageOption } from "./callers.ts";
import { overheadOutcome, type Timed, type TimedPlan } from "./outcomes.ts";
import { phasesOf } from "./phases.ts";
import { ownTime, splitRun } from "./spans.ts";
import { timeToUrl } from "./url.ts";

/** Machines differ: the bench fails at one and a half times the target. */
const plan = (id: string, title: string, caller: string, target?: number): TimedPlan => ({
  id,
  group: "login",
  title,
  caller,
  unit: "ms",
  ...(target === undefined ? {} : { target, limit: target * 1.5 }),
});

const logins: readonly TimedPlan[] = [
  plan("login", "a first login beyond issuer and browser, npm program, token on disk", "disk", 300),
  plan("login-standalone", "a first login beyond issuer and browser, standalone, token on disk", "disk-standalone", 300),
  plan("login-keychain", "a first login beyond issuer and browser, npm program, token in a keychain", "keychain", 300),
  plan("login-keychain-standalone", "a first login beyond issuer and browser, standalone, token in a keychain", "keychain-standalone", 300),
  plan("login-kubelogin", "a first login beyond issuer and browser, kubelogin, token on disk", "kubelogin"),
];
const urls: readonly TimedPlan[] = [
  plan("url", "login until it shows its URL, npm program, the issuer known", "disk", 250),
  plan("url-standalone", "login until it shows its URL, standalone, the issuer known", "disk-standalone", 250),
];
export const loginPlans: readonly TimedPlan[] = [...logins, ...urls];

export async function measureLogin(stage: Stage, plans: readonly RowPlan[], kubelogin: () => Kubelogin | Missing, rounds: number) {
  const chosen = (all: readonly TimedPlan[]) => all.filter(({ id }) => plans.some((one) => one.id === id));
  const wanted = [...chosen(logins), ...chosen(urls)];
  const issuer = await startIssuer();
  const browser = openBrowser(stage.folder);
  const { callers, stop } = await openCallers(stage, [...new Set(wanted.map(({ caller }) => caller))], kubelogin);
  const who = (all: readonly TimedPlan[]) => present(callers).filter(({ id }) => chosen(all).some(({ caller }) => caller === id));
  try {
    stage.tell(`${rounds} rounds of ${who(logins).length} logins, and of ${who(urls).length} until their URL`);
    const timed = await inRounds(who(logins), rounds, (caller, round) => logInOnce(stage, caller, round, issuer, browser));
    const shown = await inRounds(who(urls), rounds, (caller, round) => timeToUrl(stage, caller, round, issuer));
    const outcomeOf = (row: TimedPlan) => overheadOutcome(row, callers, urls.includes(row) ? shown : timed);
    const phases = who(logins).map((caller) => {
      const all = timed.get(caller.id) ?? [];
      const walls = all.map(({ wall }) => wall);
      return phasesOf(
        { what: "login", form: caller.form, storage: caller.storage },
        walls,
        all.map(({ split }) => split),
      );
    });
    return { rows: wanted.map((row) => ({ ...row, outcome: outcomeOf(row) })), phases };
  } finally {
    browser.stop();
    issuer.stop();
    await stop();
  }
}

/** In turned order; the first round is not counted: it reads files that the others find in memory. */
async function inRounds(callers: readonly Caller[], rounds: number, once: (caller: Caller, round: number) => Promise<Timed>): Promise<ReadonlyMap<string, readonly Timed[]>> {
  const timed = new Map<string, Timed[]>(callers.map(({ id }) => [id, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const caller of orderOf(callers, round)) {
      const one = await once(caller, round);
      if (round > 0) timed.get(caller.id)?.push(one);
    }
  }
  return timed;
}

/** As kubectl runs the first command on a new computer: nothing is known of the issuer, nothing is stored. */
async function logInOnce(stage: Stage, caller: Caller, round: number, issuer: Issuer, browser: Browser): Promise<Timed> {
  const env = caller.home(`login-${caller.id}-${round}`);
  // A client of its own each time: the keychain is one for all homes.
  const words = [`--oidc-issuer-url=${issuer.url}`, `--oidc-client-id=bench-${caller.id}-${round}`, `--token-cache-storage=${storageOption[caller.storage]}`];
  const flow = ["--grant-type=authcode", "--listen-address=127.0.0.1:0", `--browser-command=${browser.command}`];
  const [requests, visits] = [issuer.requests.length, browser.spans.length];
  const { started: from, ended: to, output } = await mustRun(stage, [...caller.command, "get-token", ...words, ...flow, ...caller.more(env.HOME)], env);
  if (!output.includes('"kind":"ExecCredential"')) throw new Error(`${caller.form} gave no credential`);
  const asked = issuer.requests.slice(requests);
  const others = [...asked, ...browser.spans.slice(visits)];
  if (round === 0) await mustBeStored(stage, [...caller.command, "get-token", ...words, ...caller.more(env.HOME)], env, issuer);
  if (browser.spans.length === visits) throw new Error(`${caller.form} did not open the browser`);
  return { wall: to - from, own: ownTime({ from, to }, others), split: splitRun({ from, to }, others), requests: asked.length };
}

/** A login that could not store its session is quicker, and no login to measure. */
async function mustBeStored(stage: Stage, args: readonly string[], env: Environment, issuer: Issuer): Promise<void> {
  const before = issuer.requests.length;
  const { output } = await mustRun(stage, [...args, "--force-refresh"], env);
  if (!issuer.requests.slice(before).some(({ grant }) => grant === "refresh_token")) throw new Error(`the session was not stored: ${said(output)}`);
}
