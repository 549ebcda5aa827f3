import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keychainStore } from "../../src/adapters/keychain.ts";
import { secretStoreContract } from "../contract/secret-store.contract.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import { hasProgram, type SecretService, type ServiceKind, startSecretService } from "./secret-service.ts";

const childPath = resolve(import.meta.dirname, "../../dist/keychain-child.cjs");
const missing = ["dbus-daemon", "gnome-keyring-daemon", "dbus-send"].filter((name) => !hasProgram(name));
const title = (text: string) => (missing.length === 0 ? text : `${text} (needs ${missing.join(", ")})`);

/** The adapter with the environment of a private session; the adapter hands its own environment to its child. */
function storeIn(service: SecretService, options: { readonly deadlineMs?: number } = {}) {
  Object.assign(process.env, service.env);
  return keychainStore({ childPath, mayPrompt: false, deadlineMs: options.deadlineMs ?? 4_500 });
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

/** Keychain programs of ours that still run, by /proc. */
function childrenLeft(): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(childPath);
    } catch {
      return false;
    }
  });
}

/** A killed process is gone a moment after the signal. */
async function noChildIsLeft(): Promise<void> {
  await expect.poll(childrenLeft, { timeout: 5_000, interval: 20 }).toEqual([]);
}

describe.skipIf(missing.length > 0)(title("an unlocked gnome-keyring"), () => {
  const service = withService("normal");
  secretStoreContract("the OS keychain", async () => storeIn(service.current()));

  it("holds the item under its readable name, seen with the platform's own tool", async () => {
    const store = storeIn(service.current());
    await store.write("https://id.example.com#kubernetes", "value-of-the-item");
    const shown = execFileSync("secret-tool", ["lookup", "service", "kubectl-oidc", "username", "https://id.example.com#kubernetes"], {
      env: { ...service.current().env },
      encoding: "utf8",
    });
    expect(shown.trim()).toBe("value-of-the-item");
    await store.remove("https://id.example.com#kubernetes");
  });

  it("answers any number of processes at once", async () => {
    const store = storeIn(service.current());
    const names = Array.from({ length: 8 }, (_, i) => `parallel-${i}`);
    await Promise.all(names.map((name) => store.write(name, `value of ${name}`)));
    expect(await Promise.all(names.map((name) => store.read(name)))).toEqual(names.map((name) => `value of ${name}`));
    await noChildIsLeft();
  });
});

describe.skipIf(missing.length > 0)(title("a locked gnome-keyring"), () => {
  const service = withService("locked");
  it.each(["read", "write", "remove", "probe"] as const)("refuses a %s within seconds and raises no dialog", async (operation) => {
    const store = storeIn(service.current());
    const started = Date.now();
    const action = { read: () => store.read("x"), write: () => store.write("x", "y"), remove: () => store.remove("x"), probe: () => store.probe() }[operation];
    expect(await codeOfPromise(action())).toBe("KEYCHAIN_LOCKED");
    expect(Date.now() - started).toBeLessThan(5_000);
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
  it("times out within five seconds, and no child is left", async () => {
    const store = storeIn(service.current());
    const started = Date.now();
    expect(await codeOfPromise(store.read("x"))).toBe("KEYCHAIN_TIMED_OUT");
    expect(Date.now() - started).toBeLessThan(5_000);
    await noChildIsLeft();
  });
  it("is killed at a deadline shorter than its own", async () => {
    expect(await codeOfPromise(storeIn(service.current(), { deadlineMs: 400 }).write("x", "y"))).toBe("KEYCHAIN_TIMED_OUT");
    await noChildIsLeft();
  });
});
