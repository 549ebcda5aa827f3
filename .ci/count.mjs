// Adds the rings' reports and the other checks; names what failed and what was skipped. The last line is the count.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { countReport } from "../test/vitest-report.mjs";

const [folder, passedChecks, ...missing] = process.argv.slice(2);
let passed = Number(passedChecks);
const skipped = [...missing];
// What is no test file: one file for each failure, with what it printed last.
const checks = readdirSync(folder).filter((file) => file.startsWith("failed-"));
let failed = checks.length;
for (const file of checks.sort()) console.log(readFileSync(join(folder, file), "utf8"));
for (const name of readdirSync(folder).filter((file) => file.endsWith(".json"))) {
  const ring = name.replace(/\.json$/, "");
  const counted = countReport(JSON.parse(readFileSync(join(folder, name), "utf8")), statusOf(ring));
  for (const failure of counted.failures) console.log(`FAILED (${ring}): ${failure.name}\n${failure.text}`);
  passed += counted.passed;
  failed += counted.failures.length;
  skipped.push(...counted.skipped.map((test) => `${ring}: ${test.fullName}`));
}
console.log(`${skipped.length} skipped${skipped.length === 0 ? "" : ":"}`);
for (const name of skipped) console.log(`skipped: ${name}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

/** How the ring's vitest ended; .ci/run wrote it beside the report. */
function statusOf(ring) {
  const file = join(folder, `${ring}.status`);
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : 1;
}
