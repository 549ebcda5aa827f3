import { orderOf } from "../interleaved.ts";
import { startIssuer } from "../parts/issuer.ts";
import { getToken, mustRun, type Stage } from "../parts/stage.ts";
import type { RowPlan } from "../rows.ts";
import { elapsed } from "../starter.ts";
import { openCallers, present, storageOption } from "./callers.ts";
import { type Timed, type TimedPlan, wholeOutcome } from "./outcomes.ts";
import { splitRun } from "./spans.ts";

const plan = (id: string, form: string, caller: string): TimedPlan => ({
  id,
  group: "advice",
  title: `a cached token, ${form}: with --id-token-cache=keyring`,
  caller,
  unit: "ms",
});

export const keychainHitPlans: readonly TimedPlan[] = [plan("keychain-hit", "npm program", "keychain"), plan("keychain-hit-standalone", "standalone", "keychain-standalone")];

/** What every command costs when the short-lived token rests in the keychain too: no memo may release it. */
export async function measureKeychainHit(stage: Stage, plans: readonly RowPlan[], rounds: number) {
  const wanted = keychainHitPlans.filter(({ id }) => plans.some((one) => one.id === id));
  const issuer = await startIssuer();
  const { callers, stop } = await openCallers(
    stage,
    wanted.map(({ caller }) => caller),
    () => ({ missing: "not asked for" }),
  );
  const timed = new Map<string, Timed[]>();
  try {
    const ready = present(callers).map((caller) => {
      const env = caller.home(`keychain-hit-${caller.id}`);
      // A client of its own each: the keychain is one for all homes.
      const words = getToken(issuer, storageOption[caller.storage]).map((word) => (word.startsWith("--oidc-client-id=") ? `${word}-${caller.id}` : word));
      return { id: caller.id, args: [...caller.command, ...words, "--id-token-cache=keyring"], env };
    });
    for (const { args, env } of ready) for (let i = 0; i < 2; i++) await mustRun(stage, args, env);
    const before = issuer.requests.length;
    stage.tell(`${rounds} rounds of ${ready.length} cached tokens in a keychain`);
    for (let round = 0; round < rounds; round++) {
      for (const { id, args, env } of orderOf(ready, round)) {
        const ran = await mustRun(stage, args, env);
        const wall = elapsed(ran);
        timed.set(id, [...(timed.get(id) ?? []), { wall, own: wall, split: splitRun({ from: ran.started, to: ran.ended }, []), requests: 0 }]);
      }
    }
    if (issuer.requests.length !== before) throw new Error("a token that should have been in the keychain was asked for again");
  } finally {
    issuer.stop();
    await stop();
  }
  return { rows: wanted.map((row) => ({ ...row, outcome: wholeOutcome(row, callers, timed, ({ wall }) => wall) })) };
}
