import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startOf } from "../../src/hot/process-start.ts";
import { awaitRenewal } from "../../src/hot/renewal.ts";

let folder: string;
let holderProgram: string;
let note: string;
const children = new Set<ChildProcess>();
const never = () => undefined;
const files = () => ({ note, outcome: join(note, "../outcome") });
const waited = { kind: "miss", waited: { outcome: undefined } };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-renewal-"));
  holderProgram = join(folder, "holder.cjs");
  const contents = `import { awaitRenewal } from ${JSON.stringify(resolve(import.meta.dirname, "../../src/hot/renewal.ts"))};
    awaitRenewal({ note: process.argv[2], outcome: "/nowhere" }, () => undefined, process.ppid).then(({ kind }) => { console.log(kind); process.stdin.resume(); process.stdin.on("end", () => process.exit(0)); });`;
  await build({ stdin: { contents, resolveDir: folder }, bundle: true, platform: "node", format: "cjs", outfile: holderProgram, logLevel: "error" });
});
afterAll(() => rmSync(folder, { recursive: true }));
const listening = new Map(["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"].map((name) => [name, process.listenerCount(name)]));
beforeEach(() => {
  note = join(mkdtempSync(join(folder, "n-")), "renewal-x");
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"])
    for (const listener of process.listeners(name as NodeJS.Signals).slice(listening.get(name))) process.off(name, listener as () => void);
});

/** A note of this process, by its date. Seconds since the epoch. */
function leaveAt(seconds: number): void {
  writeFileSync(note, `${process.pid} ${startOf(process.pid)}`);
  utimesSync(note, seconds, seconds);
}

/** A process that has left its note and works. */
async function startHolder(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [holderProgram, note], { stdio: ["pipe", "pipe", "inherit"] });
  children.add(child);
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  expect(String(said)).toBe("miss\n");
  return child;
}

describe("a call whose token is too old", () => {
  it("does it itself when nobody does, and its note goes with it", async () => {
    const holder = await startHolder();
    expect(readFileSync(note, "utf8")).toBe(`${holder.pid} ${startOf(holder.pid ?? 0)}`);
    holder.stdin?.end();
    await once(holder, "exit");
    expect(existsSync(note)).toBe(false);
  });

  it("is the one that renews only when the others can see that", async () => {
    expect(await awaitRenewal(files(), never, process.ppid)).toEqual({ kind: "miss", isOurs: true });
    for (const listener of process.listeners("exit").slice(-1)) process.off("exit", listener);
    rmSync(join(note, ".."), { recursive: true });
    expect(await awaitRenewal(files(), never, process.ppid)).toEqual({ kind: "miss" });
  });

  it("waits for one that does, and gives what the look-up then says", async () => {
    await startHolder();
    let looks = 0;
    expect(await awaitRenewal(files(), () => (++looks === 3 ? "the new token" : undefined), process.ppid)).toEqual({ kind: "hit", text: "the new token" });
    expect(existsSync(note)).toBe(true);
  });

  it("does not wait any more when that one is killed, or is done without a new token", async () => {
    const holder = await startHolder();
    const waiting = awaitRenewal(files(), never, process.ppid);
    holder.kill("SIGKILL");
    expect(await waiting).toEqual(waited);
    rmSync(note);
    const next = await startHolder();
    const again = awaitRenewal(files(), never, process.ppid);
    next.stdin?.end();
    expect(await again).toEqual(waited);
  });

  it("waits five seconds at most, and then lets the whole program wait", async () => {
    await startHolder();
    const since = performance.now();
    expect(await awaitRenewal(files(), never, process.ppid)).toEqual(waited);
    expect(performance.now() - since).toBeGreaterThan(4_500);
    expect(performance.now() - since).toBeLessThan(15_000);
  });

  it("hands a signal to the whole program", async () => {
    await startHolder();
    const waiting = awaitRenewal(files(), never, process.ppid);
    process.emit("SIGHUP", "SIGHUP");
    expect(await waiting).toEqual({ kind: "miss", waited: { outcome: undefined, signal: "SIGHUP" } });
  });

  it("does not wait for a caller that is gone", async () => {
    await startHolder();
    expect(await awaitRenewal(files(), never, process.ppid + 1)).toEqual({ kind: "miss", waited: { outcome: undefined, signal: "SIGTERM" } });
  });

  it("tells how the last refresh had failed when the wait began, so that a failure since then is known as such", async () => {
    await startHolder();
    writeFileSync(join(note, "../outcome"), "the failure before");
    const waiting = awaitRenewal(files(), () => void writeFileSync(join(note, "../outcome"), "the failure since"), process.ppid);
    process.emit("SIGHUP", "SIGHUP");
    expect(await waiting).toMatchObject({ waited: { outcome: "the failure before" } });
  });

  it.skipIf(process.platform === "win32")("is not held by a pipe in the place of that failure", async () => {
    await startHolder();
    execFileSync("mkfifo", [join(note, "../outcome")]);
    expect(await awaitRenewal(files(), () => "the new token", process.ppid)).toEqual({ kind: "hit", text: "the new token" });
  });

  it("does not wait long for a note that nobody signed", async () => {
    writeFileSync(note, "");
    const since = performance.now();
    expect(await awaitRenewal(files(), never, process.ppid)).toEqual(waited);
    expect(performance.now() - since).toBeLessThan(3_000);
  });

  // Killed before it could take its note away; its number may belong to another program now.
  it.each<[string, () => void]>([
    ["of a process that is gone", () => writeFileSync(note, "4194304 1")],
    ["of a process whose number another one has now", () => writeFileSync(note, `${process.pid} 1`)],
    ["that is older than any refresh", () => leaveAt(1_000)],
    ["from the future", () => leaveAt(9_000_000_000)],
    ["that is no note", () => writeFileSync(note, "x".repeat(1_000))],
    ["that is a link", () => symlinkSync(holderProgram, note)],
    ["that is a folder", () => mkdirSync(note)],
    ["in a folder that is not there", () => rmSync(join(note, ".."), { recursive: true })],
  ])("does not wait for a note %s", async (_, leave) => {
    leave();
    const since = performance.now();
    const renewed = await awaitRenewal(files(), never, process.ppid);
    expect(renewed.kind).toBe("miss");
    expect(performance.now() - since).toBeLessThan(3_000);
    for (const listener of process.listeners("exit").slice(-1)) process.off("exit", listener);
  });
});
