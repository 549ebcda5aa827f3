import type { RowPlan } from "../rows.ts";

/** What is taken from a candidate's storms. */
export interface StormPlan extends RowPlan {
  readonly candidate: string;
  readonly figure: "hits" | "misses" | "refreshes";
}

const plan = (id: string, title: string, candidate: string, figure: StormPlan["figure"], bounds: { readonly target?: number; readonly limit?: number } = {}): StormPlan => ({
  id,
  group: "storm",
  title,
  candidate,
  figure,
  unit: figure === "hits" ? "ms" : figure === "misses" ? "x" : "requests",
  ...bounds,
});

/** Machines differ: the bench fails at one and a half times the target of the times, which are for two cores. */
export const stormPlans = (count: number): readonly StormPlan[] => {
  const seconds = (target: number) => ({ target: (target * count) / 200, limit: (1.5 * target * count) / 200 });
  const once = { target: 1, limit: 1 };
  return [
    plan("storm-hits", `${count} cached tokens at once, npm program`, "npm", "hits", seconds(3000)),
    plan("storm-hits-standalone", `${count} cached tokens at once, standalone`, "standalone", "hits", seconds(800)),
    plan("storm-misses", `${count} expired tokens at once / ${count} cached ones, npm program`, "npm", "misses", { target: 1.5, limit: 2.25 }),
    plan("storm-misses-standalone", `${count} expired tokens at once / ${count} cached ones, standalone`, "standalone", "misses", { target: 1.5, limit: 2.25 }),
    plan("storm-refreshes", `refreshes of ${count} expired tokens at once, npm program`, "npm", "refreshes", once),
    plan("storm-refreshes-standalone", `refreshes of ${count} expired tokens at once, standalone`, "standalone", "refreshes", once),
    plan("storm-empty", `${count} empty scripts at once`, "empty", "hits"),
    plan("storm-hits-kubelogin", `${count} cached tokens at once, kubelogin`, "kubelogin", "hits"),
    plan("storm-misses-kubelogin", `${count} expired tokens at once / ${count} cached ones, kubelogin`, "kubelogin", "misses"),
    plan("storm-refreshes-kubelogin", `refreshes of ${count} expired tokens at once, kubelogin`, "kubelogin", "refreshes"),
  ];
};
