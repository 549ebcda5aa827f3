import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { keychainStore } from "../../src/adapters/keychain.ts";
import { startChild } from "../../src/adapters/keychain-start.ts";
import { isOidcError } from "../../src/errors/oidc-error.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import { type BusStep, type SessionBus, startSessionBus, text, twoLists, variantOfBoolean } from "../fakes/session-bus.ts";

const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-keychain-"));
const realChild = resolve(import.meta.dirname, "../../dist/keychain-child.cjs");
const value = "value-that-nobody-may-see";

const buses: SessionBus[] = [];
async function startBus(steps: readonly BusStep[]): Promise<SessionBus> {
  const bus = await startSessionBus(steps);
  buses.push(bus);
  return bus;
}

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const bus of buses.splice(0)) await bus.stop();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The adapter in front of a program of the test's; `request` is the line that it got. `started`: it runs already. */
function storeWith(name: string, program: string, deadlineMs = 10_000, idleMs = 5_000, started?: ChildProcess) {
  const childPath = writeProgram(name, program);
  return keychainStore({ childCommand: [process.execPath, childPath], started, mayPrompt: false, deadlineMs, idleMs });
}

function writeProgram(name: string, program: string): string {
  const childPath = join(folder, `${name}.cjs`);
  writeFileSync(
    childPath,
    `const answer = (o) => process.stdout.write(typeof o === "string" ? o : JSON.stringify(o) + "\\n");
let line = ""; process.stdin.on("data", (c) => { line += c; if (line.endsWith("\\n")) { const request = JSON.parse(line); line = ""; take(request); } });
function take(request) { ${program} }`,
  );
  return childPath;
}

async function errorOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isOidcError(error)) throw new Error("expected an error of ours", { cause: error });
  return error;
}

/** Gone, or a zombie that nobody has collected yet. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return true;
  }
  return existsSync(`/proc/${pid}/stat`) && /\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

describe("the keychain's program", () => {
  it("is asked in one line on its stdin, which stays open until it answers", async () => {
    const store = storeWith(
      "echo",
      `let closed = false; process.stdin.on("end", () => { closed = true; }); setImmediate(() => answer({ ok: true, value: JSON.stringify({ request, closed }) }));`,
    );
    const { request, closed } = JSON.parse((await store.read("item")) ?? "");
    expect(request).toEqual({ op: "read", service: "kubectl-oidc", account: "item", mayPrompt: false, deadlineMs: 10_000 });
    expect(closed).toBe(false);
  });

  it("gets no secret by argv or environment, and nothing that steers it", async () => {
    for (const name of ["KUBECTL_OIDC_CLIENT_SECRET", "NAPI_RS_NATIVE_LIBRARY_PATH", "KUBERNETES_EXEC_INFO"]) vi.stubEnv(name, value);
    vi.stubEnv("NODE_OPTIONS", "--no-warnings");
    vi.stubEnv("HARMLESS", "stays");
    const file = join(folder, "seen.json");
    const store = storeWith(
      "seen",
      `require("node:fs").writeFileSync(${JSON.stringify(file)}, JSON.stringify({ argv: process.argv.slice(2), execArgv: process.execArgv, env: process.env, got: request.value })); answer({ ok: true });`,
    );
    await store.write("item", value);
    const seen = JSON.parse(readFileSync(file, "utf8"));
    expect(seen.got).toBe(value);
    expect([...seen.argv, ...seen.execArgv]).toEqual([]);
    expect(JSON.stringify(seen.env)).not.toContain(value);
    expect(Object.keys(seen.env).filter((name) => /^(KUBECTL_OIDC_|NAPI_RS_|NODE_OPTIONS|KUBERNETES_EXEC_INFO)/.test(name))).toEqual([]);
    expect(seen.env.HARMLESS).toBe("stays");
  });

  it.skipIf(process.platform !== "linux")("leads a process group of its own, so that the terminal's Ctrl-C leaves a write whole (seen in /proc: Linux)", async () => {
    const store = storeWith("group", `answer({ ok: true, value: require("node:fs").readFileSync("/proc/self/stat", "utf8") });`);
    const [pid, rest = ""] = ((await store.read("item")) ?? "").split(/ \(.*\) /);
    const [, , group, session] = rest.split(" ");
    expect([group, session]).toEqual([pid, pid]);
  });

  it.each([
    ["locked", "KEYCHAIN_LOCKED"],
    ["timed-out", "KEYCHAIN_TIMED_OUT"],
    ["unavailable", "KEYCHAIN_UNAVAILABLE"],
  ])("that answers %s is %s, with its reason made safe", async (fault, code) => {
    const store = storeWith(fault, `answer({ ok: false, fault: ${JSON.stringify(fault)}, reason: "be\\u001b[2Jcause" });`);
    expect(await errorOf(store.read("item"))).toMatchObject({ code, reason: "be [2Jcause" });
  });

  it.each([
    ["dies", "process.exit(3);", /ended without an answer/],
    ["is killed", `process.kill(process.pid, "SIGKILL");`, /ended without an answer/],
    ["stops in the middle of its answer", `process.stdout.write('{"ok":tr', () => process.exit(0));`, /ended without an answer/],
    ["answers rubbish", `answer("rubbish\\n");`, /cannot be read/],
    ["answers JSON of another kind", `answer({ ok: true, value: 7 });`, /cannot be read/],
    ["names a fault that is none", `answer({ ok: false, fault: "other", reason: "x" });`, /cannot be read/],
    ["never ends its line", `answer("x".repeat(5_000_000));`, /said too much/],
    ["does not load", `} throw new Error("no");{`, /ended without an answer/],
  ])("that %s is KEYCHAIN_UNAVAILABLE, and the value is not in the error", async (name, program, reason) => {
    const error = await errorOf(storeWith(name.replaceAll(" ", "-"), program).write("item", value));
    expect(error.code).toBe("KEYCHAIN_UNAVAILABLE");
    expect(error.reason).toMatch(reason);
    expect(`${error.message} ${error.reason} ${error.hint} ${error.stack}`).not.toContain(value);
  });

  it("that is not there is KEYCHAIN_UNAVAILABLE", async () => {
    expect(await codeOfPromise(keychainStore({ childCommand: [process.execPath, join(folder, "none.cjs")], mayPrompt: false, deadlineMs: 10_000 }).write("item", value))).toBe(
      "KEYCHAIN_UNAVAILABLE",
    );
  });

  it("that the system refuses to start is KEYCHAIN_UNAVAILABLE", async () => {
    // More than any system takes as an environment: E2BIG, thrown at once.
    vi.stubEnv("LARGER", "x".repeat(3_000_000));
    expect(await codeOfPromise(storeWith("refused", "answer({ ok: true });").read("item"))).toBe("KEYCHAIN_UNAVAILABLE");
  });

  describe("that was started before it is asked", () => {
    const saysPid = `answer({ ok: true, value: String(process.pid) });`;
    const start = (name: string, program: string) => {
      const child = startChild([process.execPath, writeProgram(name, program)]);
      if (child?.pid === undefined) throw new Error("it does not start");
      return { child, pid: child.pid };
    };

    it("is the one that is asked, at once and later", async () => {
      const { child, pid } = start("ahead", saysPid);
      const store = storeWith("ahead", saysPid, 10_000, 5_000, child);
      expect([await store.read("item"), await store.read("item")]).toEqual([String(pid), String(pid)]);
    });

    it("and has died since is replaced", async () => {
      const { child, pid } = start("ahead", saysPid);
      const store = storeWith("ahead", saysPid, 10_000, 5_000, child);
      process.kill(pid, "SIGKILL");
      expect(Number(await store.read("item"))).not.toBe(pid);
    });

    it("and dies when it is asked is replaced, once", async () => {
      const { child } = start("ahead-dies", "process.exit(1);");
      expect(await codeOfPromise(storeWith("ahead-dies", "process.exit(1);", 10_000, 5_000, child).read("item"))).toBe("KEYCHAIN_UNAVAILABLE");
      const other = start("ahead-dies", "process.exit(1);");
      expect(Number(await storeWith("ahead", saysPid, 10_000, 5_000, other.child).read("item"))).toBeGreaterThan(0);
    });

    it("and cannot be started, which the system says later, ends nothing: whoever asks starts another", async () => {
      const child = startChild([join(folder, "no such program")]);
      expect(child?.pid).toBeUndefined();
      // Without a listener of its own the event would be an exception of the process.
      expect(child?.listenerCount("error")).toBe(1);
      await new Promise((done) => child?.once("error", done));
      expect(await storeWith("ahead", saysPid, 10_000, 5_000, undefined).read("item")).toMatch(/^\d+$/);
    });

    it("and never is goes after a while", async () => {
      const { child, pid } = start("ahead", saysPid);
      storeWith("ahead", saysPid, 10_000, 50, child);
      await expect.poll(() => isGone(pid), { timeout: 5_000, interval: 20 }).toBe(true);
    });
  });

  it("that hangs and heeds no signal is killed at the deadline [ST-23]", async () => {
    const file = join(folder, "pid");
    const program = `process.on("SIGTERM", () => {}); require("node:fs").writeFileSync(${JSON.stringify(file)}, String(process.pid)); setInterval(() => {}, 1000);`;
    const started = Date.now();
    expect(await codeOfPromise(storeWith("hangs", program, 3_000).read("item"))).toBe("KEYCHAIN_TIMED_OUT");
    expect(Date.now() - started).toBeGreaterThanOrEqual(2_990);
    const pid = Number(readFileSync(file, "utf8"));
    await expect.poll(() => isGone(pid), { timeout: 5_000, interval: 20 }).toBe(true);
  });

  const ownPid = "answer({ ok: true, value: String(process.pid) });";

  it("is asked again while it lives, also by several at once, and one after the other", async () => {
    const store = storeWith("again", `setTimeout(() => answer({ ok: true, value: process.pid + " " + request.account }), 20);`);
    const answers = [await store.read("a"), ...(await Promise.all([store.read("b"), store.read("c")]))].map((text) => text?.split(" "));
    expect(answers.map((words) => words?.[1])).toEqual(["a", "b", "c"]);
    expect(new Set(answers.map((words) => words?.[0])).size).toBe(1);
  });

  it("is killed when it is idle, holds up nobody, and is started anew when it is wanted", async () => {
    const store = storeWith("stays", `setInterval(() => {}, 1000); ${ownPid}`, 10_000, 50);
    const pid = Number(await store.read("item"));
    await expect.poll(() => isGone(pid), { timeout: 5_000, interval: 20 }).toBe(true);
    expect(Number(await store.read("item"))).not.toBe(pid);
  });

  it.each([
    ["and we have seen it", 300],
    ["and we have not seen it yet", 0],
  ])("that died while nobody asked is started anew (%s)", async (_, ms) => {
    const store = storeWith("died", ownPid);
    const pid = Number(await store.read("item"));
    process.kill(pid, "SIGKILL");
    if (ms === 0) while (!isGone(pid));
    else await new Promise((done) => setTimeout(done, ms));
    expect(isGone(pid)).toBe(true);
    expect(Number(await store.read("item"))).not.toBe(pid);
  });

  it("that met its deadline is not asked again", async () => {
    const store = storeWith("once-late", `if (request.account !== "late") ${ownPid}`, 2_000);
    const pid = Number(await store.read("item"));
    expect(await codeOfPromise(store.read("late"))).toBe("KEYCHAIN_TIMED_OUT");
    expect(Number(await store.read("item"))).not.toBe(pid);
  });
});

/** Our own program, started by the test as its parent, on a bus where nothing answers. */
async function childOnSilentBus(sent: string) {
  const bus = await startBus(["silent"]);
  const child = spawn(process.execPath, [realChild], { stdio: ["pipe", "pipe", "ignore"], env: { PATH: process.env["PATH"], DBUS_SESSION_BUS_ADDRESS: bus.address } });
  const ended = new Promise<string>((done) => child.once("exit", (code, signal) => done(signal ?? String(code))));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
  });
  child.stdin.write(sent);
  return { bus, child, ended, output: () => output };
}

const request = (op: string) => `${JSON.stringify({ op, service: "kubectl-oidc", account: "item", value, mayPrompt: false, deadlineMs: 10_000 })}\n`;

describe.skipIf(process.platform !== "linux")("our keychain program, on a scripted session bus (Linux)", () => {
  it.each(["read", "probe"])("drops a %s when its parent is gone", async (op) => {
    const { bus, child, ended, output } = await childOnSilentBus(request(op));
    await expect.poll(() => bus.calls, { timeout: 5_000, interval: 20 }).toContain("ReadAlias");
    child.stdin.end();
    expect(await ended).toBe("SIGKILL");
    expect(output()).toBe("");
  });

  it.each(["write", "remove"])("goes on with a %s that came whole, whatever signal comes", async (op) => {
    const { bus, child, ended, output } = await childOnSilentBus(request(op));
    await expect.poll(() => bus.calls, { timeout: 5_000, interval: 20 }).toContain("ReadAlias");
    child.stdin.end();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE"] as const) child.kill(signal);
    await ended;
    expect(JSON.parse(output())).toMatchObject({ ok: false, fault: "timed-out" });
  });

  it("answers one request after the other, and ends with its parent when it is idle", async () => {
    const bus = await startBus([]);
    const child = spawn(process.execPath, [realChild], { stdio: ["pipe", "pipe", "ignore"], env: { PATH: process.env["PATH"], DBUS_SESSION_BUS_ADDRESS: `${bus.address}-none` } });
    const ended = new Promise<string>((done) => child.once("exit", (code, signal) => done(signal ?? String(code))));
    const answers: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => answers.push(...chunk.split("\n").filter(Boolean)));
    for (const op of ["read", "write"]) {
      const before = answers.length;
      child.stdin.write(request(op));
      await expect.poll(() => answers.length, { timeout: 5_000, interval: 20 }).toBe(before + 1);
    }
    expect(answers.map((line) => JSON.parse(line).fault)).toEqual(["unavailable", "unavailable"]);
    child.stdin.end();
    expect(await ended).toBe("SIGKILL");
  });

  it("ends when its parent went before the request was whole", async () => {
    const { bus, child, ended, output } = await childOnSilentBus(request("write").slice(0, -10));
    child.stdin.end();
    expect(await ended).toBe("SIGKILL");
    expect([output(), bus.calls]).toEqual(["", []]);
  });

  it.each([
    "\n",
    "{}\n",
    '{"op":"list","service":"s","account":"a","mayPrompt":false,"deadlineMs":1}\n',
    '{"op":"write","service":"s","account":"a","mayPrompt":false,"deadlineMs":1}\n',
  ])("refuses the request %j", async (line) => {
    const { ended, output } = await childOnSilentBus(line);
    await ended;
    expect(JSON.parse(output())).toEqual({ ok: false, fault: "unavailable", reason: "the request cannot be read" });
  });

  it("without its binding is KEYCHAIN_UNAVAILABLE, and says so", async () => {
    const bus = await startBus([
      { signature: "o", body: text("/c") },
      { signature: "v", body: variantOfBoolean(false) },
      { signature: "aoao", body: twoLists([], []) },
    ]);
    vi.stubEnv("DBUS_SESSION_BUS_ADDRESS", bus.address);
    vi.stubEnv("NODE_PATH", undefined);
    const childPath = join(folder, "alone.cjs");
    copyFileSync(realChild, childPath);
    const error = await errorOf(keychainStore({ childCommand: [process.execPath, childPath], mayPrompt: false, deadlineMs: 10_000 }).read("item"));
    expect(error.code).toBe("KEYCHAIN_UNAVAILABLE");
    expect(error.reason).toMatch(/^the keychain binding cannot be loaded: Cannot find (module|package) '@napi-rs\/keyring'/);
  });
});
