import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";

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
