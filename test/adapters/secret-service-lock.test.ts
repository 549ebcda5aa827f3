import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type KeptBus, secretServiceState } from "../../src/adapters/secret-service-lock.ts";
import { type BusOptions, type BusStep, startSessionBus, text, twoLists, variantOfBoolean } from "../fakes/session-bus.ts";

const item = { service: "kubectl-oidc", username: "https://id.example.com#kubernetes" };
const login = "/org/freedesktop/secrets/collection/login";
const alias: BusStep = { signature: "o", body: text(login) };
const isLocked = (locked: boolean): BusStep => ({ signature: "v", body: variantOfBoolean(locked) });
const found = (unlocked: readonly string[], locked: readonly string[]): BusStep => ({ signature: "aoao", body: twoLists(unlocked, locked) });

async function asked(steps: readonly BusStep[], options: BusOptions = {}) {
  const bus = await startSessionBus(steps, options);
  try {
    return { ...(await secretServiceState({ DBUS_SESSION_BUS_ADDRESS: bus.address }, item)), calls: bus.calls };
  } finally {
    await bus.stop();
  }
}

describe("whether a keychain item can be had without a dialog", () => {
  it.each<[string, readonly BusStep[]]>([
    ["nothing stored yet", [alias, isLocked(false), found([], [])]],
    ["the item in the default keyring", [alias, isLocked(false), found([`${login}/1`], [])]],
  ])("is unlocked with %s", async (_, steps) => {
    expect((await asked(steps)).state).toBe("unlocked");
  });

  it("is locked with the default keyring, and nothing is searched then: a search may raise a dialog", async () => {
    expect(await asked([alias, isLocked(true), found([], [])])).toMatchObject({ state: "locked", calls: ["Hello", "ReadAlias", "Get"] });
  });

  it.each([
    ["only there", []],
    ["there as well", [`${login}/1`]],
  ])("is locked when an item of that name lies in another keyring that is locked, %s", async (_, unlocked) => {
    expect((await asked([alias, isLocked(false), found(unlocked, ["/org/freedesktop/secrets/collection/other/1", "/o/2"])])).state).toBe("locked");
  });

  it("reads answers in the other byte order", async () => {
    const steps = (locked: readonly string[]): readonly BusStep[] => [
      { signature: "o", body: text(login, true) },
      { signature: "v", body: variantOfBoolean(false, true) },
      { signature: "aoao", body: twoLists([], locked, true) },
    ];
    expect((await asked(steps([]), { bigEndian: true })).state).toBe("unlocked");
    expect((await asked(steps(["/o/1"]), { bigEndian: true })).state).toBe("locked");
  });

  it.each<[string, BusStep, string, RegExp]>([
    ["no service", { error: "org.freedesktop.DBus.Error.ServiceUnknown" }, "unavailable", /no Secret Service/],
    ["a service that cannot start", { error: "org.freedesktop.DBus.Error.Spawn.ChildExited" }, "unavailable", /no Secret Service/],
    ["a service that does not start in time", { error: "org.freedesktop.DBus.Error.NoReply" }, "timed-out", /does not answer/],
    ["a locked store", { error: "org.freedesktop.Secret.Error.IsLocked" }, "locked", /locked/],
    ["no default keyring", { signature: "o", body: text("/") }, "unavailable", /no default keyring/],
    ["another fault", { error: "org.example.Odd" }, "unavailable", /org\.example\.Odd/],
    ["an answer of another type", { signature: "u", body: Buffer.alloc(4) }, "unavailable", /cannot be read/],
    ["an answer that ends too early", { signature: "o", body: Buffer.from([255, 0, 0, 0]) }, "unavailable", /cannot be read/],
    ["a hang-up", "hang-up", "unavailable", /closed/],
    ["bytes that claim gigabytes", { raw: Buffer.alloc(2_000_000, 0xff) }, "unavailable", /cannot be read/],
  ])("%s is named", async (_, step, state, reason) => {
    const answer = await asked([step]);
    expect(answer.state).toBe(state);
    expect("reason" in answer ? answer.reason : "").toMatch(reason);
  });

  it.each<[string, BusStep]>([
    ["no default keyring", { signature: "o", body: text("/") }],
    ["no such object", { error: "org.freedesktop.DBus.Error.UnknownObject" }],
  ])("%s in the moment in which the service reads its folder anew is looked at again", async (_, step) => {
    const good: readonly BusStep[] = [
      { signature: "o", body: text(login) },
      { signature: "v", body: variantOfBoolean(false) },
      { signature: "aoao", body: twoLists([], []) },
    ];
    expect(await asked(good, { first: [step] })).toMatchObject({ state: "unlocked" });
  });

  it("a bus that refuses us is unavailable", async () => {
    expect(await asked([], { greeting: "REJECTED EXTERNAL\r\n" })).toMatchObject({ state: "unavailable", reason: "the session bus refused us" });
  });

  it.each<[string, BusOptions]>([
    ["a service", {}],
    ["a bus", { mute: true }],
  ])("%s that never answers is timed-out within its three seconds", async (_, options) => {
    const started = Date.now();
    expect((await asked(["silent"], options)).state).toBe("timed-out");
    expect(Date.now() - started).toBeLessThan(4_500);
  });

  it.each([
    ["no address", undefined],
    ["an address of another kind", "tcp:host=localhost,port=1"],
    ["an escape that is none", "unix:path=/%zz"],
    ["a socket that is gone", "unix:path=/nonexistent/bus"],
    ["an abstract socket that is gone", "unix:abstract=/kubectl-oidc-test/none"],
  ])("%s is unavailable, at once", async (_, address) => {
    expect((await secretServiceState({ DBUS_SESSION_BUS_ADDRESS: address }, item)).state).toBe("unavailable");
  });

  it("takes the first address of a list that can be used", async () => {
    const bus = await startSessionBus([alias, isLocked(false), found([], [])]);
    try {
      expect((await secretServiceState({ DBUS_SESSION_BUS_ADDRESS: `tcp:host=localhost;unix:guid=00,${bus.address.slice(5)}` }, item)).state).toBe("unlocked");
    } finally {
      await bus.stop();
    }
  });

  describe("asked again and again, over one connection", () => {
    const look = [alias, isLocked(false), found([], [])];

    it("looks anew each time: a keyring that was locked since is found out", async () => {
      const bus = await startSessionBus([...look, alias, isLocked(true)]);
      const kept: KeptBus = {};
      const ask = async () => (await secretServiceState({ DBUS_SESSION_BUS_ADDRESS: bus.address }, item, kept)).state;
      try {
        expect([await ask(), await ask()]).toEqual(["unlocked", "locked"]);
        expect(bus.calls.filter((member) => member === "Hello")).toHaveLength(1);
      } finally {
        kept.bus?.close();
        await bus.stop();
      }
    });

    it("connects anew when the bus went away in between", async () => {
      const bus = await startSessionBus(look, { first: [...look, "hang-up"] });
      const kept: KeptBus = {};
      const ask = async () => (await secretServiceState({ DBUS_SESSION_BUS_ADDRESS: bus.address }, item, kept)).state;
      try {
        expect([await ask(), await ask()]).toEqual(["unlocked", "unlocked"]);
        expect(bus.calls.filter((member) => member === "Hello")).toHaveLength(2);
      } finally {
        kept.bus?.close();
        await bus.stop();
      }
    });

    it("gives up on a service without a default keyring, also when the bus goes away at the last look", async () => {
      const none: BusStep = { signature: "o", body: text("/") };
      const bus = await startSessionBus(Array(20).fill(none), { first: [...look, none, none, none, none, "hang-up"] });
      const kept: KeptBus = {};
      const ask = async () => (await secretServiceState({ DBUS_SESSION_BUS_ADDRESS: bus.address }, item, kept)).state;
      try {
        expect(await ask()).toBe("unlocked");
        expect(await ask()).toBe("unavailable");
      } finally {
        kept.bus?.close();
        await bus.stop();
      }
    });

    it("waits three seconds for each look, and for none in between", async () => {
      const bus = await startSessionBus([...look, "silent"]);
      const kept: KeptBus = {};
      const ask = async () => (await secretServiceState({ DBUS_SESSION_BUS_ADDRESS: bus.address }, item, kept)).state;
      try {
        expect(await ask()).toBe("unlocked");
        await new Promise((done) => setTimeout(done, 1_500));
        const since = performance.now();
        expect(await ask()).toBe("timed-out");
        expect(performance.now() - since).toBeGreaterThan(2_900);
        expect(kept.bus).toBeUndefined();
      } finally {
        await bus.stop();
      }
    });
  });

  it("no bytes of a bus break it or pass for unlocked", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const bus = await startSessionBus([{ raw: Buffer.from(bytes) }]);
        try {
          expect((await secretServiceState({ DBUS_SESSION_BUS_ADDRESS: bus.address }, item)).state).not.toBe("unlocked");
        } finally {
          await bus.stop();
        }
      }),
      { numRuns: 200 },
    );
  });
});
