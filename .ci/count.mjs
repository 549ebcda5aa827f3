// Adds the rings' reports and the other checks; names what failed and what was skipped. The last line is the count.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [folder, passedChecks, ...missing] = process.argv.slice(2);
let passed = Number(passedChecks);
const skipped = [...missing];
// What is no test file: one file for each failure, with what it printed last.
const checks = readdirSync(folder).filter((file) => file.startsWith("failed-"));
let failed = checks.length;
for (const file of checks.sort()) console.log(readFileSync(join(folder, file), "utf8"));
for (const name of readdirSync(folder).filter((file) => file.endsWith(".json"))) {
  const report = JSON.parse(readFileSync(join(folder, name), "utf8"));
  const ring = name.replace(/\.json$/, "");
  for (const file of report.testResults) {
    // A file that could not be loaded has a message and no test.
    if (file.assertionResults.length === 0 && file.status === "failed") {
      failed++;
      console.log(`FAILED (${ring}): ${file.name}: ${file.message}`);
    }
    for (const test of file.assertionResults) {
      if (test.status === "passed") passed++;
      else if (test.status === "failed") {
        failed++;
        console.log(`FAILED (${ring}): ${test.fullName}\n${(test.failureMessages[0] ?? "").slice(0, 1500)}`);
      } else skipped.push(`${ring}: ${test.fullName}`);
    }
  }
}
console.log(`${skipped.length} skipped${skipped.length === 0 ? "" : ":"}`);
for (const name of skipped) console.log(`skipped: ${name}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
