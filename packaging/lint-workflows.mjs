// actionlint over .github/workflows; built from its module where there is a Go. Prints `N passed, N failed` last.
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { goTool } from "./go-tool.mjs";
import { newTally } from "./tally.mjs";
import { ran } from "./try-program.mjs";

const folder = resolve(import.meta.dirname, "../.github/workflows");
const tally = newTally();
const { path, why } = await goTool("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12");
for (const name of readdirSync(folder)) {
  if (path === undefined) tally.skip(`${name} by actionlint: ${why}`);
  else await tally.check(`actionlint has nothing against ${name}`, () => ran(path, ["-shellcheck=", "-pyflakes=", join(folder, name)]));
}
tally.end();
