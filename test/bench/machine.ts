import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";
import { join } from "node:path";

/** What figures depend on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly os: string;
  readonly kernel: string;
  readonly node: string;
  /** Runnable processes, the mean of a minute, before the first measurement. */
  readonly loadBefore: number;
}

export function describeMachine(): Machine {
  const all = cpus();
  return {
    cpu: `${all[0]?.model.trim() ?? "unknown"} (${arch()})`,
    cores: all.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    os: osName(),
    kernel: `${platform()} ${release()}`,
    node: process.versions.node,
    loadBefore: load(),
  };
}

export const load = () => Number((loadavg()[0] ?? 0).toFixed(2));

function osName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? platform();
  } catch {
    return platform();
  }
}

/** What was measured: version, commit, and whether the sources were changed since. */
export function describeProgram(root: string): { readonly version: string; readonly commit: string } {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const git = (...args: readonly string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    return { version, commit: `${git("rev-parse", "--short=12", "HEAD")}${git("status", "--porcelain", "--", "src", "bin", "build.mjs") === "" ? "" : " and changes"}` };
  } catch {
    return { version, commit: "unknown" };
  }
}
