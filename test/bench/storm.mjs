// 200 calls at once with one session: all find a good token (hits), or all find an expired one and a refresh token (misses). Against
// as many empty scripts, the program with its lock removed, and kubelogin where there is one. BENCH_STORM sets
// their number, BENCH_STORM_ROUNDS how often all is done.
import { cpus } from "node:os";
import { startIssuer } from "./issuer.mjs";
import { program } from "./stage.mjs";
import { expire, kubelogin, ours, warm } from "./storm/candidates.mjs";
import { crowd } from "./storm/crowd.mjs";
import { watchMemory } from "./storm/memory.mjs";
import { header, row } from "./storm/table.mjs";
import { buildWithoutLock } from "./storm/without-lock.mjs";
import { call } from "./timing.mjs";

const count = Number(process.env.BENCH_STORM ?? 200);
const rounds = Number(process.env.BENCH_STORM_ROUNDS ?? 3);
const names = { ours: "kubectl-oidc", withoutLock: "without the lock" };

/** False when a call of ours failed, or when its misses made more than one refresh. */
export async function storm(stage) {
  const variant = buildWithoutLock();
  const issuer = await startIssuer({ rotates: false });
  const memory = watchMemory();
  try {
    console.log(`Node ${process.versions.node}, ${cpus().length} cores, ${count} calls at once, medians of ${rounds} rounds`);
    const candidates = [ours(names.ours, program, issuer, stage.home("ours")), ours(names.withoutLock, variant.program, issuer, stage.home("without"))];
    for (const { login, env } of candidates) await call(login, env);
    const other = await kubelogin(issuer, stage.home("kubelogin"));
    if (typeof other === "string") console.log(`kubelogin: ${other}`);
    else candidates.push(other);
    const faults = await runRounds(candidates, stage, memory);
    for (const [name, file] of [
      [names.ours, program],
      [names.withoutLock, variant.program],
    ]) {
      faults.push(...(await atRotatingIssuer(name, file, stage, memory)));
    }
    for (const fault of new Set(faults)) console.log(`failed: ${fault}`);
    return faults.length === 0;
  } finally {
    variant.remove();
    issuer.stop();
    memory.stop();
  }
}

/** Prints a line for each candidate and kind; gives what went wrong with ours. */
async function runRounds(candidates, stage, memory) {
  const empty = { name: "an empty script", env: stage.home("empty"), command: [process.execPath, stage.empty] };
  const results = new Map([[empty, []]]);
  const hits = new Map(candidates.map((candidate) => [candidate, []]));
  const misses = new Map(candidates.map((candidate) => [candidate, []]));
  for (let round = 0; round < rounds; round++) {
    const order = candidates.map((_, i) => candidates[(i + round) % candidates.length]);
    results.get(empty).push(await oneStorm(empty, memory));
    await warm(order);
    for (const candidate of order) hits.get(candidate).push(await oneStorm(candidate, memory));
    await expire(order);
    for (const candidate of order) misses.get(candidate).push(await oneStorm(candidate, memory));
  }
  const base = results.get(empty);
  console.log(header());
  console.log(row("", empty.name, base, base));
  for (const [kind, all] of Object.entries({ hits, misses })) for (const [{ name }, storms] of all) console.log(row(kind, name, storms, base));
  return [...hits.get(candidates[0]).flatMap((one) => faultsOf("hits", one, 0)), ...misses.get(candidates[0]).flatMap((one) => faultsOf("misses", one, 1))];
}

async function oneStorm({ command, env, issuer }, memory) {
  const before = issuer?.requests.length;
  const { wall, calls } = await crowd(command, { env, count, atStart: memory.start });
  const requests = issuer?.requests.slice(before) ?? [];
  return {
    wall,
    times: calls.map(({ ms }) => ms),
    peak: await memory.peak(),
    requests: requests.length,
    refreshes: requests.filter(({ grant }) => grant === "refresh_token").length,
    failures: calls.filter(({ status }) => status !== 0),
    tokens: new Set(calls.map(({ token }) => token)),
  };
}

function faultsOf(kind, { failures, refreshes, tokens }, refreshesWanted) {
  return [
    ...(failures.length > 0 ? [`${failures.length} of ${count} ${kind}, the first with exit status ${failures[0].status}: ${failures[0].stderr.trim()}`] : []),
    ...(refreshes !== refreshesWanted ? [`${kind} made ${refreshes} refresh requests`] : []),
    ...(failures.length === 0 && (tokens.size !== 1 || tokens.has(undefined)) ? [`${kind} handed out ${tokens.size} different tokens`] : []),
  ];
}

/** Misses, once, where a refresh token counts once: what the lock is for. Gives what went wrong with ours. */
async function atRotatingIssuer(name, file, stage, memory) {
  const issuer = await startIssuer();
  try {
    const candidate = ours(name, file, issuer, stage.home(`rotating ${name}`));
    await call(candidate.login, candidate.env);
    await warm([candidate]);
    await expire([candidate]);
    const result = await oneStorm(candidate, memory);
    // Exit status 0 alone says little: a token that is still good may be handed out after the session is lost.
    const { calls } = await crowd(candidate.renew, { env: candidate.env, count: 1, atStart: () => undefined });
    const lives = calls[0].status === 0 && !result.tokens.has(calls[0].token);
    console.log(`rotating issuer, ${name}: ${result.failures.length} of ${count} failed, ${result.refreshes} refresh request(s), the session ${lives ? "lives" : "is lost"}`);
    if (name !== names.ours) return [];
    return [...faultsOf("misses at a rotating issuer", result, 1), ...(lives ? [] : ["the session at a rotating issuer is lost"])];
  } finally {
    issuer.stop();
  }
}
