import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { askProgram } from "../built-program.ts";
import { countReport, type Report } from "../vitest-report.mjs";
import { tellParts, type Told } from "./find-parts.ts";
import { catalogue } from "./parts/catalogue.ts";
import { makePart } from "./parts/make-part.ts";
import { findPart, type Part } from "./parts/part.ts";
import { emptyRecord, proofsOf, type Record, recordWith, type Run, type WholeRun } from "./record.ts";

/** The whole of the tests; the ring is to take 20. Minutes. */
const longestRun = 35;
/** What `--build=quick` makes: parts that take this many minutes each at most, and together, the first of the catalogue first. */
const quick = { each: 8, together: 14 };

const usage = `npm run test:cluster [-- OPTION… FILE…]
The built program against real API servers, issuers and callers (test/real): of the parts that are there, or of these test files only.
  --build         makes the parts that are missing first; long, once
  --build=quick   those of them that take minutes
  --record        notes the results in docs/reference/compatibility.json
  --help          this`;

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** `[--build[=quick]] [--record] [--help] [FILE…]`. Gives the exit status; the last line is the count, `skipped: …` says what was left out and why. */
export async function main(argv: readonly string[], root: string): Promise<number> {
  if (argv.includes("--help")) {
    say(usage);
    return 0;
  }
  const unknown = argv.find((word) => word.startsWith("-") && !["--build", "--build=quick", "--record"].includes(word));
  if (unknown !== undefined) throw new Error(`unknown option ${unknown}; there are --build, --build=quick and --record, and names of test files`);
  const files = argv.filter((word) => !word.startsWith("-"));
  const failures = argv.some((word) => word.startsWith("--build")) ? await makeParts(argv.includes("--build=quick")) : new Map<string, string>();
  const parts = tellParts();
  for (const part of parts) if ("path" in part) say(`${part.name} ${part.version}: ${part.path}`);
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-real-"));
  try {
    // Before the tests, which take long: a build meanwhile must not lend them its commit.
    const run = argv.includes("--record") ? thisRun(root) : undefined;
    const { report, status, minutes } = await runTests(root, files, join(folder, "report.json"));
    for (const part of parts) if ("absent" in part) say(`skipped: ${part.name}: ${failures.get(part.name) ?? part.absent}`);
    if (run !== undefined) writeRecord(root, report, run, files.length === 0 ? { ...run, minutes, without: absentOf(parts) } : undefined);
    return count(report, status);
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

interface Ran {
  readonly report: Report;
  /** How vitest ended. */
  readonly status: number;
  readonly minutes: number;
}

function runTests(root: string, files: readonly string[], file: string): Promise<Ran> {
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
  const started = performance.now();
  return new Promise((done, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      clearTimeout(timer);
      const minutes = Number(((performance.now() - started) / 60_000).toFixed(1));
      if (existsSync(file)) done({ report: JSON.parse(readFileSync(file, "utf8")) as Report, status: status ?? 1, minutes });
      else reject(new Error("the tests gave no report"));
    });
  });
}

const absentOf = (parts: readonly Told[]) => parts.filter((part) => "absent" in part).map(({ name }) => name);

/** TEST_PROGRAM as in test/e2e/program-form.ts. */
function thisRun(root: string): Run {
  const standalone = process.env["TEST_PROGRAM"];
  const { version, commit } = askProgram(standalone === undefined ? [process.execPath, join(root, "dist/kubectl-oidc.cjs")] : [resolve(standalone)]);
  return { date: new Date().toISOString().slice(0, 10), ours: version, commit };
}

function writeRecord(root: string, report: Report, run: Run, whole: WholeRun | undefined): void {
  const file = join(root, "docs/reference/compatibility.json");
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record) : emptyRecord;
  if (kept.schema !== 2) throw new Error(`${file} has another schema than 2`);
  writeFileSync(file, `${JSON.stringify(recordWith(kept, proofsOf(report, run), whole), null, 2)}\n`);
  say("recorded in docs/reference/compatibility.json; npm run docs makes the page of it");
}

function count(report: Report, status: number): number {
  const { passed, failures, skipped } = countReport(report, status);
  for (const { name, text } of failures) say(`FAILED: ${name}: ${text}`);
  // What waits for a part is named above, once for the part.
  const named = skipped.filter(({ ancestorTitles }) => !ancestorTitles.some((title) => /\(needs [^)]*\)$/.test(title)));
  for (const { ancestorTitles, title } of named) say(`skipped: ${[...ancestorTitles.filter(Boolean), title].join(" > ")}`);
  say(`${passed} passed, ${failures.length} failed`);
  return failures.length === 0 ? 0 : 1;
}
