import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keychainStore } from "../../src/adapters/keychain.ts";
import { secretStoreContract } from "../contract/secret-store.contract.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import { type PromptWatch, watchPrompts } from "./prompt-watch.ts";
import { hasProgram } from "../programs.ts";
import { itemElsewhere, type SecretService, type ServiceKind, startSecretService } from "./secret-service.ts";

const childPath = resolve(import.meta.dirname, "../../dist/keychain-child.cjs");
const missing = ["dbus-daemon", "gnome-keyring-daemon", "dbus-send", "dbus-monitor", "secret-tool"].filter((name) => !hasProgram(name));
const title = (text: string) => (missing.length === 0 ? text : `${text} (needs ${missing.join(", ")})`);
const operations = ["read", "write", "remove", "probe"] as const;

/** The adapter with the environment of a private session; the adapter hands its own environment to its child. */
function storeIn(service: SecretService, options: { readonly deadlineMs?: number; readonly mayPrompt?: boolean; readonly idleMs?: number } = {}) {
  Object.assign(process.env, service.env);
  return keychainStore({
    childCommand: [process.execPath, childPath],
    idleMs: options.idleMs ?? 0,
    mayPrompt: options.mayPrompt ?? false,
    deadlineMs: options.deadlineMs ?? 4_500,
  });
}

function act(store: ReturnType<typeof storeIn>, operation: (typeof operations)[number], name = "x"): Promise<unknown> {
  return { read: () => store.read(name), write: () => store.write(name, "y"), remove: () => store.remove(name), probe: () => store.probe() }[operation]();
}

/** What the platform's own tool finds: attributes and values of all our items, or of one. */
function secretTool(service: SecretService, action: "lookup" | "search", username?: string): string {
  const all = action === "search" ? ["--all"] : [];
  const ended = spawnSync("secret-tool", [action, ...all, "service", "kubectl-oidc", ...(username === undefined ? [] : ["username", username])], {
    env: { ...service.env },
    encoding: "utf8",
  });
  // The values come on stdout, the attributes of a search on stderr.
  return `${ended.stdout}${ended.stderr}`;
}

function withService(kind: ServiceKind): { current(): SecretService } {
  let service: SecretService | undefined;
  beforeAll(async () => {
    service = await startSecretService(kind);
  });
  afterAll(async () => {
    await service?.stop();
  });
  return { current: () => service as SecretService };
}

/** Keychain programs of ours that still run in this private session, by /proc. */
function childrenLeft(service: SecretService): readonly string[] {
  const bus = `DBUS_SESSION_BUS_ADDRESS=${service.env["DBUS_SESSION_BUS_ADDRESS"]}`;
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const has = (file: string, text: string) => readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0").includes(text);
      return has("cmdline", childPath) && has("environ", bus);
    } catch {
      return false;
    }
  });
}

/** A killed process is gone a moment after the signal. */
async function noChildIsLeft(service: SecretService): Promise<void> {
  await expect.poll(() => childrenLeft(service), { timeout: 5_000, interval: 20 }).toEqual([]);
}

/** The private session's bus, watched for unlock dialogs and for sessions with the keychain. */
function withPromptWatch(service: { current(): SecretService }): Pick<PromptWatch, "raised" | "sessionsOpened"> {
  let watch: PromptWatch | undefined;
  beforeAll(async () => {
    watch = await watchPrompts(service.current().env);
  });
  afterAll(async () => {
    await watch?.stop();
  });
  return { raised: async () => (await watch?.raised()) ?? ["no watch"], sessionsOpened: async () => (await watch?.sessionsOpened()) ?? -1 };
}

describe.skipIf(missing.length > 0)(title("an unlocked gnome-keyring"), () => {
  const service = withService("normal");
  secretStoreContract("the OS keychain", async () => storeIn(service.current()));

  it("holds the item under its readable name, seen with the platform's own tool", async () => {
    const store = storeIn(service.current());
    await store.write("https://id.example.com#kubernetes", "value-of-the-item");
    expect(secretTool(service.current(), "lookup", "https://id.example.com#kubernetes").trim()).toBe("value-of-the-item");
    await store.remove("https://id.example.com#kubernetes");
    expect(secretTool(service.current(), "lookup", "https://id.example.com#kubernetes")).toBe("");
  });

  it("holds nothing of a probe afterwards", async () => {
    await storeIn(service.current()).probe();
    expect(secretTool(service.current(), "search")).not.toContain("probe");
  });

  it("answers any number of processes at once", async () => {
    const store = storeIn(service.current());
    const names = Array.from({ length: 8 }, (_, i) => `parallel-${i}`);
    await Promise.all(names.map((name) => store.write(name, `value of ${name}`)));
    expect(await Promise.all(names.map((name) => store.read(name)))).toEqual(names.map((name) => `value of ${name}`));
    await noChildIsLeft(service.current());
  });

  it("keeps a value larger than any pipe takes at once [ST-21]", async () => {
    const store = storeIn(service.current());
    const value = "0123456789".repeat(60_000);
    await store.write("large", value);
    expect(await store.read("large")).toBe(value);
    await store.remove("large");
  });

  it("two items of one name, as another program can store them, are a fault that says what to do", async () => {
    for (const more of [[], ["made-by", "another program"]])
      execFileSync("secret-tool", ["store", "--label=x", "service", "kubectl-oidc", "username", "twice", ...more], { env: { ...service.current().env }, input: "v" });
    await expect(storeIn(service.current()).read("twice")).rejects.toMatchObject({ code: "KEYCHAIN_UNAVAILABLE", reason: expect.stringMatching(/^several items/) });
    execFileSync("secret-tool", ["clear", "service", "kubectl-oidc", "username", "twice"], { env: { ...service.current().env } });
  });
});

describe.skipIf(missing.length > 0)(title("a refresh's read and its two writes, one after the other"), () => {
  const service = withService("normal");
  const dialogs = withPromptWatch(service);
  const oneChild = { idleMs: 10_000 };

  it("open one session with the keychain", async () => {
    const store = storeIn(service.current(), oneChild);
    expect(await store.read("item")).toBeUndefined();
    await store.write("item", "pending");
    await store.write("item", "judged");
    expect(await store.read("item")).toBe("judged");
    expect(await dialogs.sessionsOpened()).toBe(1);
  });

  it("go on with a keychain that is started anew between them", async () => {
    const store = storeIn(service.current(), oneChild);
    await store.write("item", "before");
    await service.current().restart();
    expect(await store.read("item")).toBe("before");
    await service.current().restart();
    await store.write("item", "after");
    await service.current().restart();
    await store.remove("item");
    expect(await store.read("item")).toBeUndefined();
  });

  it("look each time whether the keyring is still unlocked: one that was locked while the issuer thought is refused without a dialog", async () => {
    const store = storeIn(service.current(), oneChild);
    await store.write("item", "value");
    service.current().lock();
    expect(await codeOfPromise(store.write("item", "another"))).toBe("KEYCHAIN_LOCKED");
    expect(await dialogs.raised()).toEqual([]);
  });
});

describe.skipIf(missing.length > 0)(title("a program that ends while the keychain is slow"), () => {
  const service = withService("normal");
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-parent-"));
  const parentPath = join(folder, "parent.cjs");
  beforeAll(() => {
    buildSync({
      stdin: {
        contents: `import { keychainStore } from "./src/adapters/keychain.ts";
          const [childPath, operation, name] = process.argv.slice(2);
          const store = keychainStore({ childCommand: [process.execPath, childPath], mayPrompt: false, deadlineMs: 20_000 });
          void store[operation](name, "written by an orphan");
          process.stdout.write("asked");`,
        resolveDir: resolve(import.meta.dirname, "../.."),
        loader: "ts",
      },
      bundle: true,
      platform: "node",
      format: "cjs",
      outfile: parentPath,
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Asks the frozen keychain, then ends the asking program's process group by the signal. */
  async function endedBy(signal: "SIGINT" | "SIGKILL", operation: "read" | "write", name: string): Promise<void> {
    const parent = spawn(process.execPath, [parentPath, childPath, operation, name], { env: { ...service.current().env }, stdio: ["ignore", "pipe", "ignore"], detached: true });
    await new Promise((done) => parent.stdout.once("data", done));
    const gone = new Promise((done) => parent.once("exit", done));
    process.kill(-(parent.pid ?? 0), signal);
    await gone;
  }

  it.each(["SIGINT", "SIGKILL"] as const)("by %s: its write is finished all the same", async (signal) => {
    service.current().freeze();
    await endedBy(signal, "write", `orphan-${signal}`);
    expect(childrenLeft(service.current())).toHaveLength(1);
    service.current().thaw();
    await noChildIsLeft(service.current());
    expect(await storeIn(service.current()).read(`orphan-${signal}`)).toBe("written by an orphan");
  });

  it.each(["SIGINT", "SIGKILL"] as const)("by %s: its read ends with it", async (signal) => {
    service.current().freeze();
    await endedBy(signal, "read", "anything");
    // Sooner than the three seconds after which it would have given up by itself.
    await expect.poll(() => childrenLeft(service.current()), { timeout: 2_000, interval: 20 }).toEqual([]);
    service.current().thaw();
  });
});

describe.skipIf(missing.length > 0)(title("a locked gnome-keyring"), () => {
  const service = withService("locked");
  const dialogs = withPromptWatch(service);

  it.each(operations)("refuses a %s within seconds and raises no dialog [ST-23]", async (operation) => {
    const started = Date.now();
    expect(await codeOfPromise(act(storeIn(service.current()), operation))).toBe("KEYCHAIN_LOCKED");
    expect(Date.now() - started).toBeLessThan(5_000);
    expect(await dialogs.raised()).toEqual([]);
  });

  it("asks the person when it may; dismissed is KEYCHAIN_LOCKED", async () => {
    expect(await codeOfPromise(act(storeIn(service.current(), { mayPrompt: true }), "write"))).toBe("KEYCHAIN_LOCKED");
    expect(await dialogs.raised()).toContain("Unlock");
  });
});

describe.skipIf(missing.length > 0)(title("an unlocked gnome-keyring beside a second keyring that is locked"), () => {
  const service = withService("locked-elsewhere");
  const dialogs = withPromptWatch(service);

  it.each(["read", "write", "remove"] as const)("refuses a %s of the item that lies there, and raises no dialog", async (operation) => {
    expect(await codeOfPromise(act(storeIn(service.current()), operation, itemElsewhere))).toBe("KEYCHAIN_LOCKED");
    expect(await dialogs.raised()).toEqual([]);
  });

  it("asks the person for it when it may", async () => {
    expect(await codeOfPromise(act(storeIn(service.current(), { mayPrompt: true }), "read", itemElsewhere))).toBe("KEYCHAIN_LOCKED");
    expect(await dialogs.raised()).toContain("Unlock");
  });

  it("serves every other item", async () => {
    const store = storeIn(service.current());
    await store.probe();
    await store.write("another", "value");
    expect(await store.read("another")).toBe("value");
    expect(await dialogs.raised()).toEqual([]);
  });
});

describe.skipIf(missing.length > 0)(title("a bus without a keychain"), () => {
  const service = withService("absent");
  it("is unavailable, at once", async () => {
    const store = storeIn(service.current());
    const started = Date.now();
    expect(await codeOfPromise(store.read("x"))).toBe("KEYCHAIN_UNAVAILABLE");
    expect(await codeOfPromise(store.write("x", "y"))).toBe("KEYCHAIN_UNAVAILABLE");
    expect(Date.now() - started).toBeLessThan(5_000);
  });
});

describe.skipIf(missing.length > 0)(title("a frozen keychain"), () => {
  const service = withService("frozen");
  it("times out within five seconds, and no child is left [ST-23]", async () => {
    const store = storeIn(service.current());
    const started = Date.now();
    expect(await codeOfPromise(store.read("x"))).toBe("KEYCHAIN_TIMED_OUT");
    expect(Date.now() - started).toBeLessThan(5_000);
    await noChildIsLeft(service.current());
  });
  it("is killed at a deadline shorter than its own", async () => {
    expect(await codeOfPromise(storeIn(service.current(), { deadlineMs: 400 }).write("x", "y"))).toBe("KEYCHAIN_TIMED_OUT");
    await noChildIsLeft(service.current());
  });
});
