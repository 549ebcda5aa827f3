// Smoke test of built executables on the machine that they are for: node packaging/try-executable.mjs [TARGET…]; without a name, this machine's.
// Prints `N passed, N failed` last.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { completerName, completerText } from "./release.mjs";
import { newTally } from "./tally.mjs";
import { builtFile, hostTarget, programFile, targets } from "./targets.mjs";
import { tryProgram } from "./try-program.mjs";

const names = process.argv.slice(2);
const wanted = names.length === 0 ? [hostTarget()] : names.map((name) => targets.find((target) => target.name === name));
const tally = newTally();
for (const [i, target] of wanted.entries()) {
  if (target === undefined) await tally.check(names[i], () => Promise.reject(new Error("there is no such target")));
  else await tryTarget(target);
}
tally.end();

async function tryTarget(target) {
  const file = resolve(import.meta.dirname, "..", builtFile(target));
  if (!existsSync(file)) return tally.check(target.name, () => Promise.reject(new Error(`${builtFile(target)} is not built`)));
  const stage = mkdtempSync(join(tmpdir(), "kubectl-oidc-executable-"));
  try {
    // As in an archive: with what kubectl asks for completion beside it.
    const bin = join(stage, "bin");
    mkdirSync(bin);
    copyFileSync(file, join(bin, programFile(target)));
    writeFileSync(join(bin, completerName(target)), completerText(target), { mode: 0o755 });
    await tryProgram(tally, target.name, { bin, home: join(stage, "home"), form: "standalone" });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}
