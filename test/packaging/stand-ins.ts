import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { targets } from "../../packaging/targets.mjs";
import type { Target } from "./whole-release.ts";

/** What makeRelease takes, with a small file in the place of each executable, and a text in the place of its licences (some would have to be fetched). */
export async function standIns(folder: string) {
  mkdirSync(join(folder, "built"), { recursive: true });
  const executables = targets.map((target) => {
    const file = join(folder, "built", target.name);
    writeFileSync(file, `#!/bin/sh\necho ${target.name}\n`, { mode: 0o755 });
    return { target, file };
  });
  return { executables, seconds: Date.UTC(2026, 0, 28, 12, 30, 10) / 1000, commit: "0123456789ab", thirdPartyOf: ({ name }: Target) => `licences of ${name}\n` };
}
