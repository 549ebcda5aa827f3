import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dataFolder } from "../../../src/core/data-folder.ts";
import { type Certificates, makeCertificates } from "../../issuer/certificates.ts";
import { orderOf } from "../interleaved.ts";
import { type Issuer, startIssuer } from "../parts/issuer.ts";
import type { Kubelogin } from "../parts/kubelogin.ts";
import type { Missing } from "../parts/missing.ts";
import { type Environment, getToken, mustRun, said, type Stage } from "../parts/stage.ts";
import type { RowPlan } from "../rows.ts";
import { type Caller, openCallers, present, storageOption } from "./callers.ts";
import { type Phases, phasesOf } from "./phases.ts";
import { overheadOutcome, type Timed, type TimedPlan, wholeOutcome } from "./outcomes.ts";
import { ownTime, splitRun } from "./spans.ts";

/** Machines differ: the bench fails at one and a half times the target. */
const plan = (id: string, title: string, caller: string, target?: number): TimedPlan => ({
  id,
  group: "refresh",
  title,
  caller,
  unit: "ms",
  ...(target === undefined ? {} : { target, limit: target * 1.5 }),
});
const requests = (id: string, title: string, caller: string, bounds: Pick<TimedPlan, "target" | "limit">): TimedPlan => ({
  id,
  group: "refresh",
  title,
  caller,
  unit: "requests",
  ...bounds,
});
const once = { target: 1, limit: 1 };

export const refreshPlans: readonly TimedPlan[] = [
  plan("refresh", "a refresh beyond the issuer's time, npm program, token on disk", "disk", 60),
  plan("refresh-standalone", "a refresh beyond the issuer's time, standalone, token on disk", "disk-standalone", 35),
  plan("refresh-keychain", "a refresh beyond the issuer's time, npm program, token in a keychain", "keychain", 110),
  plan("refresh-keychain-standalone", "a refresh beyond the issuer's time, standalone, token in a keychain", "keychain-standalone", 70),
  plan("refresh-kubelogin", "a refresh beyond the issuer's time, kubelogin, token on disk", "kubelogin"),
  plan("refresh-bare", "a refresh beyond the issuer's time, a bare script of Node's own modules", "bare"),
  plan("refresh-tls", "a refresh over https, npm program, token on disk", "disk-tls"),
  plan("refresh-tls-standalone", "a refresh over https, standalone, token on disk", "disk-standalone-tls"),
  plan("refresh-tls-kubelogin", "a refresh over https, kubelogin, token on disk", "kubelogin-tls"),
  plan("refresh-tls-bare", "a refresh over https, a bare script of Node's own modules", "bare-tls"),
  requests("refresh-requests", "requests of a refresh, npm program", "disk", once),
  requests("refresh-requests-standalone", "requests of a refresh, standalone", "disk-standalone", once),
  requests("refresh-requests-kubelogin", "requests of a refresh, kubelogin", "kubelogin", {}),
];

export async function measureRefresh(stage: Stage, plans: readonly RowPlan[], kubelogin: () => Kubelogin | Missing, rounds: number) {
  const wanted = refreshPlans.filter(({ id }) => plans.some((one) => one.id === id));
  const issuer = await startIssuer();
  const certificates = await makeCertificates(stage.folder);
  const secure = await startIssuer({ tls: certificates });
  const issuerOf = ({ overTls }: Caller) => (overTls === true ? secure : issuer);
  const { callers, stop } = await openCallers(stage, [...new Set(wanted.map(({ caller }) => caller))], kubelogin);
  const timed = new Map<string, Timed[]>();
  try {
    const ready = [];
    for (const caller of present(callers)) ready.push(await loggedIn(stage, caller, issuerOf(caller), certificates));
    stage.tell(`${rounds} rounds of ${ready.length} refreshes`);
    for (let round = 0; round < rounds; round++) {
      for (const one of orderOf(ready, round)) timed.set(one.caller.id, [...(timed.get(one.caller.id) ?? []), await refreshOnce(stage, one, issuerOf(one.caller))]);
    }
  } finally {
    issuer.stop();
    secure.stop();
    await stop();
  }
  const rows = wanted.map((row) => ({ ...row, outcome: row.unit === "ms" ? overheadOutcome(row, callers, timed) : wholeOutcome(row, callers, timed, (one) => one.requests) }));
  return {
    rows,
    phases: present(callers)
      .filter(({ id, overTls }) => id !== "bare" && overTls === undefined)
      .map((caller) => phasesOfRefresh(caller, timed.get(caller.id) ?? [])),
  };
}

/** Who refreshes at its next call. */
interface Ready {
  readonly caller: Caller;
  readonly args: readonly string[];
  readonly env: Environment & { readonly HOME: string };
  /** Has the next call find a token that is over. */
  age(): void;
}

async function loggedIn(stage: Stage, caller: Caller, issuer: Issuer, { caFile, caPem }: Certificates): Promise<Ready> {
  const env = caller.home(`refresh-${caller.id}`);
  if (caller.id.startsWith("bare")) {
    prepareBare(join(env.HOME, "bare"), issuer, caPem);
    return { caller, args: caller.command, env, age: () => undefined };
  }
  const args = [
    ...caller.command,
    ...getToken(issuer, storageOption[caller.storage]),
    ...caller.more(env.HOME),
    ...(caller.overTls === true ? [`--certificate-authority=${caFile}`] : []),
  ];
  await mustRun(stage, args, env);
  // The first refresh learns what the login could not keep.
  await mustRun(stage, [...args, "--force-refresh"], env);
  if (caller.id.startsWith("kubelogin")) return { caller, args: [...args, "--force-refresh"], env, age: () => undefined };
  // As every call of kubectl but the first: this one is remembered.
  await mustRun(stage, args, env);
  return { caller, args, env, age: () => ageToken(join(dataFolder(process.platform, env) ?? env.HOME, "credentials")) };
}

/** What bare-refresh.cjs finds in its home. */
function prepareBare(folder: string, issuer: Issuer, authority: string): void {
  mkdirSync(folder);
  for (const [name, text] of [
    ["endpoint", `${issuer.url}/token`],
    ["authority", authority],
    ["key", JSON.stringify(issuer.publicKeys[0])],
    ["refresh-token", issuer.newSession()],
  ] as const)
    writeFileSync(join(folder, name), text, { mode: 0o600 });
}

/** One second is left of the token's five minutes. */
function ageToken(folder: string): void {
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
    const now = Date.now() / 1000;
    const file = join(folder, name);
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), receivedAt: now - 299, expiresAt: now + 1 }), { mode: 0o600 });
  }
}

async function refreshOnce(stage: Stage, { caller, args, env, age }: Ready, issuer: Issuer): Promise<Timed> {
  age();
  const before = issuer.requests.length;
  const { started: from, ended: to, output } = await mustRun(stage, args, env);
  const asked = issuer.requests.slice(before);
  if (!asked.some(({ grant }) => grant === "refresh_token")) throw new Error(`${caller.form}, token on ${caller.storage}: the call made no refresh: ${said(output)}`);
  return { wall: to - from, own: ownTime({ from, to }, asked), split: splitRun({ from, to }, asked), requests: asked.length };
}

const phasesOfRefresh = ({ form, storage }: Caller, all: readonly Timed[]): Phases =>
  phasesOf(
    { what: "refresh", form, storage },
    all.map(({ wall }) => wall),
    all.map(({ split }) => split),
  );
