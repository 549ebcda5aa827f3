import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { chosenRows, readChoice } from "./choice.ts";
import { allGroups } from "./groups.ts";
import type { NodeBuild } from "./parts/nodes.ts";

const missing = { missing: "not here" };
const plansWith = (node24: NodeBuild | typeof missing) =>
  allGroups({ node: (major) => (major === 24 ? node24 : missing), kubelogin: () => missing, rounds: 1, storm: { count: 200, rounds: 1 } }).flatMap(({ plans }) => plans);
const plans = plansWith(missing);

describe("the rows that are measured", () => {
  it("are all of them without a name", () => {
    expect(chosenRows([], plans)).toEqual(plans);
  });

  it.each(["hot", "bin", "version", "many", "memory", "standalone", "kubectl", "refresh", "login", "storm", "peers", "advice"])("%s is a name of several", (name) => {
    const rows = chosenRows([name], plans);
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.every(({ id, group }) => group === name || id === name)).toBe(true);
  });

  it("can be named one by one, in whatever order, and come in that of the table", () => {
    expect(chosenRows(["storm-hits", "hot-22"], plans).map(({ id }) => id)).toEqual(["hot-22", "storm-hits"]);
  });

  it("have names of their own", () => {
    expect(new Set(plans.map(({ id }) => id)).size).toBe(plans.length);
  });

  it("hold the executable against Node 24, or against the running Node where that is not here", () => {
    const title = (all: typeof plans) => all.find(({ id }) => id === "standalone")?.title ?? "";
    expect(title(plansWith({ major: 24, version: "24.0.0", file: "/node" }))).toContain("Node 24");
    expect(title(plans)).toContain(`Node ${process.versions.node.split(".")[0]}`);
  });

  it("have a limit above their target", () => {
    for (const { id, target = 0, limit = Number.POSITIVE_INFINITY } of plans) expect(limit, id).toBeGreaterThanOrEqual(target);
  });
});

describe("the command line", () => {
  it("takes names and options", () => {
    expect(readChoice(["hot", "storm", "--json"])).toEqual({ names: ["hot", "storm"], json: true, gate: false, allNodes: false, help: false });
    expect(readChoice(["--gate", "--nodes=all"])).toMatchObject({ gate: true, allNodes: true });
    expect(() => readChoice(["--nodes=23"])).toThrow("--nodes takes all");
    expect(() => readChoice(["--fast"])).toThrow("--fast");
  });

  it.each(["hut", "hot hut", "--gate storm", "--fast"])("that asks for what there is not ends with 2: %s", (args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [resolve(import.meta.dirname, "run.mjs"), ...args.split(" ")], { encoding: "utf8" });
    expect(status, stderr).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/no such row or group: (hut|storm); groups: hot|--fast/);
  });
});
