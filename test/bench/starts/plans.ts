import { majors, type NodeBuild } from "../parts/nodes.ts";
import type { RowPlan } from "../rows.ts";

/**
 * `steady`: of wall time and processor time the one that is less. A busy machine stretches a longer program more than a shorter one, so that the
 * ratio of their wall times says little; a program that got slower takes more of both.
 */
export type Figure = "time" | "memory" | "steady";

/** A row about programs that start, answer and end; one candidate by another of the same rounds. */
export interface StartPlan extends RowPlan {
  readonly of: string;
  readonly to: string;
  readonly figure: Figure;
}

/** Node versions in the order of the table. */
export const majorsWith = (running: number): readonly number[] => [...new Set([...majors, running])].toSorted((a, b) => a - b);

/**
 * The rows. An empty script on Node 24 is what the executable is held against, and on the running Node where 24 is not here: the two differ by
 * a tenth.
 */
export function startPlans(running: NodeBuild, hasNode24: boolean): readonly StartPlan[] {
  const here = running.major;
  const plan = (id: string, group: string, title: string, [of, to]: readonly [string, string], bounds: { readonly target?: number; readonly limit?: number } = {}): StartPlan => {
    return { id, group, title, of, to, figure: group === "memory" ? "memory" : "time", unit: "x", ...bounds };
  };
  const everyNode = (id: string, group: string, what: string, of: string, bounds: { readonly target: number; readonly limit: number }) =>
    majorsWith(here).map((major) => plan(`${id}-${major}`, group, `${what} / an empty script, Node ${major}`, [`${of}@${major}`, `empty@${major}`], bounds));
  const base = hasNode24 ? 24 : here;
  const empty = `empty@${base}`;
  return [
    ...everyNode("hot", "hot", "a cached token, npm program", "hot", { target: 1.05, limit: 1.15 }),
    ...everyNode("bin", "bin", "a cached token, npm program through its bin (link, env)", "bin", { target: 1.12, limit: 1.2 }),
    ...everyNode("version", "version", "version, npm program", "version", { target: 1.45, limit: 1.6 }),
    plan("many", "many", `a cached token, npm program: a store of 10,000 sessions / of one, Node ${here}`, [`many@${here}`, `hot@${here}`], { target: 1.05, limit: 1.1 }),
    plan("many-standalone", "many", "a cached token, standalone: a store of 10,000 sessions / of one", ["standalone-many", "standalone"], { target: 1.05, limit: 1.1 }),
    ...everyNode("memory", "memory", "peak memory of a cached token, npm program", "hot", { target: 1.05, limit: 1.1 }),
    plan("memory-standalone", "memory", `peak memory of a cached token, standalone / an empty script, Node ${base}`, ["standalone", empty]),
    plan("standalone", "standalone", `a cached token, standalone / an empty script, Node ${base}`, ["standalone", empty], { target: 0.25, limit: 0.35 }),
    plan("standalone-kubelogin", "standalone", "a cached token, standalone / kubelogin", ["standalone", "kubelogin"], { target: 1, limit: 1.15 }),
    plan("standalone-bun", "standalone", "a cached token, standalone / an empty Bun executable", ["standalone", "empty-bun"]),
    plan("standalone-version", "standalone", `version, standalone / an empty script, Node ${base}`, ["standalone-version", empty]),
    plan("kubelogin", "peers", `a cached token, kubelogin / an empty script, Node ${base}`, ["kubelogin", empty]),
    plan("kubelogin-memory", "peers", `peak memory of a cached token, kubelogin / an empty script, Node ${base}`, ["kubelogin", empty]),
    plan("cat", "peers", `cat of a file with the credential / an empty script, Node ${base}`, ["cat", empty]),
    plan("bun", "peers", `an empty Bun executable / an empty script, Node ${base}`, ["empty-bun", empty]),
    plan("extra-ca", "advice", "a cached token, npm program, Node 20: with NODE_EXTRA_CA_CERTS of all the system's roots / without", ["extra-ca@20", "hot@20"]),
    plan("env-proxy", "advice", "a cached token, npm program, Node 24: with NODE_USE_ENV_PROXY and a proxy / without", ["env-proxy@24", "hot@24"]),
  ].map((one) => (one.id === "kubelogin-memory" ? { ...one, figure: "memory" } : one));
}
