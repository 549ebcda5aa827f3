import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Missing } from "./missing.ts";

export interface NodeBuild {
  readonly major: number;
  readonly version: string;
  readonly file: string;
}

/** Those that the program is measured on. */
export const majors: readonly number[] = [20, 22, 24, 26];

export const runningNode: NodeBuild = { major: majorOf(process.versions.node), version: process.versions.node, file: process.execPath };

/**
 * Node's builds by their major version: the one that runs the bench, those of BENCH_NODES (paths, with commas), and those in the cache folder, into which
 * `install` puts the ones that are missing.
 */
export function findNodes(root: string, install: boolean, tell: (what: string) => void): (major: number) => NodeBuild | Missing {
  const cache = join(root, "node_modules/.cache/bench-nodes");
  const given = (process.env["BENCH_NODES"] ?? "").split(",").filter((file) => file !== "");
  const known = [runningNode, ...given.map(buildAt)];
  const wanted = install ? majors.filter((major) => !known.some((build) => build.major === major)) : [];
  for (const major of wanted) if (!existsSync(cachedFile(cache, String(major)))) installInto(cache, major, tell);
  if (existsSync(cache)) for (const name of readdirSync(cache)) if (existsSync(cachedFile(cache, name))) known.push(buildAt(cachedFile(cache, name)));
  return (major) => known.find((build) => build.major === major) ?? { missing: `Node ${major} is not here (--nodes=all installs it, BENCH_NODES names it)` };
}

const packageName = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
const cachedFile = (cache: string, major: string) => join(cache, major, "node_modules", packageName, "bin/node");

/** npm carries Node's builds; one that cannot be had is skipped later, by its name. */
function installInto(cache: string, major: number, tell: (what: string) => void): void {
  tell(`installing Node ${major}`);
  spawnSync("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefix", join(cache, String(major)), `${packageName}@${major}`], { stdio: "ignore" });
}

function buildAt(file: string): NodeBuild {
  const version = execFileSync(file, ["--version"], { encoding: "utf8", env: {} }).trim().slice(1);
  return { major: majorOf(version), version, file };
}

function majorOf(version: string): number {
  return Number(version.split(".")[0]);
}
