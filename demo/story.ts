import { type Client, type Ended, run } from "./clients.ts";
import { type Stage, tokenLife } from "./stage.ts";

/** A step that did not go as it must: the demo ends with 1. */
export class StepFailed extends Error {}

/** The issuer's requests that a token costs. */
const costs = ["authorization", "token", "revocation"] as const;
type Costs = Readonly<Record<(typeof costs)[number], number>>;

/** The whole session, step by step; each prints what happened and its time, and is checked. */
export async function tellStory(stage: Stage, client: Client): Promise<void> {
  const counted = (): Costs => ({ authorization: stage.provider.count("authorization"), token: stage.provider.count("token"), revocation: stage.provider.count("revocation") });
  let at = 0;

  async function step(title: string, action: () => Promise<Ended>, must: (ended: Ended, cost: Costs) => string | undefined): Promise<void> {
    const before = counted();
    const ended = await action();
    const after = counted();
    const cost: Costs = { authorization: after.authorization - before.authorization, token: after.token - before.token, revocation: after.revocation - before.revocation };
    at++;
    console.log(`\n${at}. ${title}  (${ended.ms} ms)`);
    for (const line of [...ended.stderr.split("\n"), ...ended.stdout.split("\n")].filter((text) => text !== "")) console.log(`     ${line}`);
    const problem = must(ended, cost);
    if (problem !== undefined) throw new StepFailed(`step ${at} went wrong: ${problem}`);
    console.log(`   = ${requestsText(cost)}`);
  }

  const succeeds = (ended: Ended) => (ended.status === 0 ? undefined : `it ended with status ${ended.status}`);
  const pods = () => client.getPods(stage);
  const plugin = (...args: string[]) => run(process.execPath, [stage.plugin, ...args], stage.env);

  const loggedInAt = Date.now();
  await step(
    "first call: nobody is logged in, so the browser opens (here a program clicks)",
    pods,
    (ended, cost) => succeeds(ended) ?? (cost.token === 1 && cost.authorization > 0 ? undefined : "there was no login"),
  );
  await step(
    "second call: the answer comes from the cache",
    pods,
    (ended, cost) => succeeds(ended) ?? (cost.token + cost.authorization === 0 ? undefined : "the issuer was asked"),
  );
  await step("who is logged in where, without any request", () => plugin("status"), succeeds);
  const wait = loggedInAt + tokenLife * 850 - Date.now();
  console.log(`\n   … waiting ${Math.max(0, Math.ceil(wait / 1000))} s until the ID token (it lives ${tokenLife} s here) is nearly over`);
  await new Promise((done) => setTimeout(done, Math.max(0, wait)));
  await step(
    "third call: the token is refreshed, with one request and nobody asked",
    pods,
    (ended, cost) => succeeds(ended) ?? (cost.token === 1 && cost.authorization === 0 ? undefined : "it was not one refresh"),
  );
  await step("a script asks for the token's header (not shown)", async () => hidden(await plugin("token", "--context=demo", "-o", "header")), succeeds);
  await step(
    "logout revokes the session at the issuer, and deletes it here",
    () => plugin("logout", "--context=demo"),
    (ended, cost) => succeeds(ended) ?? (cost.revocation === 1 ? undefined : "nothing was revoked"),
  );
  await step(
    "next call, in a pipeline (CI=true): it is told to log in, and nothing opens",
    () => client.getPods(stage, { CI: "true" }),
    (ended, cost) => (ended.status !== 0 && ended.stderr.includes("LOGIN_REQUIRED") && cost.authorization === 0 ? undefined : "it did not ask for a login"),
  );
}

const hidden = (ended: Ended): Ended => ({ ...ended, stdout: ended.stdout.replace(/Bearer .+/, "Bearer …") });

function requestsText(cost: Costs): string {
  const parts = costs.filter((name) => cost[name] > 0).map((name) => `${cost[name]} ${name}`);
  return parts.length === 0 ? "no request to the issuer" : `requests to the issuer: ${parts.join(", ")}`;
}
