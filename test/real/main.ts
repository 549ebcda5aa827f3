import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tellParts } from "./find-parts.ts";
import { catalogue } from "./parts/catalogue.ts";
import { makePart } from "./parts/make-part.ts";
import { findPart, type Part } from "./parts/part.ts";
import { proofsOf, type Record, recordWith, type Report } from "./record.ts";

/** The whole of the tests; the ring is to take 20. Minutes. */
const longestRun = 35;
/** What `--build=quick` makes: parts that take this many minutes each at most, and together, the first of the catalogue first. */
const quick = { each: 8, together: 14 };

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** `[--build[=quick]] [--record] [FILE…]`. Gives the exit status; the last line is the count, `skipped: …` says what was left out and why. */
export async function main(argv: readonly string[], root: string): Promise<number> {
  const unknown = argv.find((word) => word.startsWith("-") && !["--build", "--build=quick", "--record"].includes(word));
  if (unknown !== undefined) throw new Error(`unknown option ${unknown}; there are --build, --build=quick and --record, and names of test files`);
  const files = argv.filter((word) => !word.startsWith("-"));
  const failures = argv.some((word) => word.startsWith("--build")) ? await makeParts(argv.includes("--build=quick")) : new Map<string, string>();
  const parts = tellParts();
  for (const part of parts) if ("path" in part) say(`${part.name} ${part.version}: ${part.path}`);
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-real-"));
  try {
    const report = await runTests(root, files, join(folder, "report.json"));
    for (const part of parts) if ("absent" in part) say(`skipped: ${part.name}: ${failures.get(part.name) ?? part.absent}`);
    if (argv.includes("--record")) writeRecord(root, report, files.length === 0);
    return count(report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Gives why a part could not be made, by its name. */
async function makeParts(inMinutes: boolean): Promise<ReadonlyMap<string, string>> {
  const failures = new Map<string, string>();
  const missing = catalogue.filter((part) => findPart(part) === undefined && part.making !== undefined);
  for (const part of inMinutes ? quickOnes(missing) : missing) {
    const started = performance.now();
    try {
      await makePart(part, say);
      say(`made ${part.name} in ${((performance.now() - started) / 60_000).toFixed(1)} min`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      say(`${part.name} could not be made: ${reason}`);
      failures.set(part.name, `could not be made: ${reason.split("\n").at(-1)}`);
    }
  }
  return failures;
}

function quickOnes(parts: readonly Part[]): readonly Part[] {
  let left = quick.together;
  return parts.filter(({ making }) => {
    const minutes = making?.minutes ?? 0;
    const fits = minutes <= Math.min(left, quick.each);
    if (fits) left -= minutes;
    return fits;
  });
}

function runTests(root: string, files: readonly string[], file: string): Promise<Report> {
  const args = ["run", "--config", "vitest.cluster.config.ts", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`, ...files];
  // A group of its own: at the deadline the servers that tests started go as well.
  const child = spawn(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), ...args], { cwd: root, stdio: ["ignore", "inherit", "inherit"], detached: true });
  const killAll = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  };
  const timer = setTimeout(killAll, longestRun * 60_000);
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => process.exit(130));
  process.once("exit", killAll);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      if (existsSync(file)) resolve(JSON.parse(readFileSync(file, "utf8")) as Report);
      else reject(new Error("the tests gave no report"));
    });
  });
}

function writeRecord(root: string, report: Report, whole: boolean): void {
  const file = join(root, "docs/reference/compatibility.json");
  const kept: Record = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record) : { schema: 1, proofs: [] };
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };
  const proofs = proofsOf(report, { date: new Date().toISOString().slice(0, 10), ours: version });
  writeFileSync(file, `${JSON.stringify(recordWith(kept, proofs, whole), null, 2)}\n`);
  say("recorded in docs/reference/compatibility.json; npm run docs makes the page of it");
}

function count({ testResults }: Report): number {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const broken = testResults.filter(({ assertionResults, status }) => assertionResults.length === 0 && status === "failed");
  for (const { name, message = "" } of broken) say(`FAILED: ${name}: ${message}`);
  // What waits for a part is named above, once for the part.
  const named = tests.filter(({ status, ancestorTitles }) => status !== "passed" && status !== "failed" && !ancestorTitles.some((title) => /\(needs [^)]*\)$/.test(title)));
  for (const { ancestorTitles, title } of named) say(`skipped: ${[...ancestorTitles.filter(Boolean), title].join(" > ")}`);
  const passed = tests.filter(({ status }) => status === "passed").length;
  const failed = tests.filter(({ status }) => status === "failed").length + broken.length;
  say(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
