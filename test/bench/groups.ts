import { kubectlPlans, measureKubectl } from "./cluster/kubectl.ts";
import { startIssuer } from "./parts/issuer.ts";
import type { Kubelogin } from "./parts/kubelogin.ts";
import { isMissing, type Missing } from "./parts/missing.ts";
import { type NodeBuild, runningNode } from "./parts/nodes.ts";
import type { Stage } from "./parts/stage.ts";
import type { Row, RowPlan } from "./rows.ts";
import { keychainHitPlans, measureKeychainHit } from "./slow/keychain-hit.ts";
import { loginPlans, measureLogin } from "./slow/login.ts";
import type { Phases } from "./slow/phases.ts";
import { measureRefresh, refreshPlans } from "./slow/refresh.ts";
import { candidateMaker } from "./starts/candidates.ts";
import { type Effort, measureStarts, type ProcessFigure } from "./starts/measure.ts";
import { type StartPlan, startPlans } from "./starts/plans.ts";
import { stormPlans } from "./storm/plans.ts";
import { measureStorm } from "./storm/storm.ts";

/** What the measuring of a group gave. */
export interface Part {
  readonly rows: readonly Row[];
  readonly processes?: readonly ProcessFigure[];
  readonly phases?: readonly Phases[];
  /** A table of its own, for what the rows leave out. */
  readonly lines?: readonly string[];
}

/** Rows that are measured together. */
export interface Group {
  readonly plans: readonly RowPlan[];
  /** Those of the rows that are wanted. A group that breaks off fails its rows and no others. */
  measure(stage: Stage, wanted: readonly RowPlan[]): Promise<Part>;
}

export interface Means {
  readonly node: (major: number) => NodeBuild | Missing;
  readonly kubelogin: () => Kubelogin | Missing;
  readonly rounds: number;
  /** Calls of a storm, and how often it is made. */
  readonly storm: { readonly count: number; readonly rounds: number };
}

/** All rows of the table. */
export function allGroups({ node, kubelogin, rounds, storm }: Means): readonly Group[] {
  // A slow call takes as long as several quick ones.
  const fewer = (by: number) => Math.max(Math.min(5, rounds), Math.ceil(rounds / by));
  return [
    starts(startPlans(runningNode, !isMissing(node(24))), { node, kubelogin }, { rounds }),
    group(kubectlPlans, (stage, plans) => measureKubectl(stage, plans, kubelogin, fewer(4))),
    group(refreshPlans, (stage, plans) => measureRefresh(stage, plans, kubelogin, fewer(6))),
    group(keychainHitPlans, (stage, plans) => measureKeychainHit(stage, plans, fewer(6))),
    group(loginPlans, (stage, plans) => measureLogin(stage, plans, kubelogin, fewer(10))),
    group(stormPlans(storm.count), (stage, plans) => measureStorm(stage, plans, kubelogin, storm)),
  ];
}

/** The rows that a loaded machine measures well, each on what is here; in a few rounds, and more of them for a row that is near to its limit. */
export function gateGroups({ node, kubelogin }: Pick<Means, "node" | "kubelogin">): readonly Group[] {
  const names = [`hot-${runningNode.major}`, `version-${runningNode.major}`, "many", "many-standalone", "standalone"];
  const plans = startPlans(runningNode, !isMissing(node(24))).filter(({ id }) => names.includes(id));
  return [
    starts(
      plans.map((plan) => ({ ...plan, figure: "steady" })),
      { node, kubelogin },
      { batch: 15, most: 150 },
    ),
  ];
}

function starts(plans: readonly StartPlan[], { node, kubelogin }: Pick<Means, "node" | "kubelogin">, effort: Effort): Group {
  return group(plans, async (stage, chosen) => {
    const issuer = await startIssuer();
    // The tokens of one login serve all rounds.
    issuer.lifetime = 6 * 3600;
    try {
      return await measureStarts(stage, chosen, candidateMaker(stage, { node, kubelogin, issuer }), issuer, effort);
    } finally {
      issuer.stop();
    }
  });
}

function group<P extends RowPlan>(plans: readonly P[], measure: (stage: Stage, chosen: readonly P[]) => Promise<Part>): Group {
  return {
    plans,
    async measure(stage, wanted) {
      const chosen = plans.filter(({ id }) => wanted.some((plan) => plan.id === id));
      if (chosen.length === 0) return { rows: [] };
      try {
        return await measure(stage, chosen);
      } catch (error) {
        const why = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, "; ").slice(0, 300);
        return { rows: chosen.map((plan) => ({ ...plan, outcome: { kind: "failed", why } as const })) };
      }
    },
  };
}
