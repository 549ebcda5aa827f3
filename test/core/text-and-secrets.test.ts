import { inspect } from "node:util";
import type envPaths from "env-paths";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readPasted } from "../../src/core/callback.ts";
import { dataFolder } from "../../src/core/data-folder.ts";
import { environmentName, optionTable } from "../../src/core/flag-table.ts";
import { memoInputs, secretOptions, secretVariables } from "../../src/core/memo.ts";
import { parsePause, pauseLeft } from "../../src/core/pause.ts";
import { secret } from "../../src/core/secret.ts";
import { isWeakerTrust, mayBeUsedWith, withServer } from "../../src/core/server-trust.ts";
import { parseCredentialRecord, parseSecretItem, parseSessionRecord } from "../../src/core/session.ts";

describe("a secret", () => {
  it("prints as [redacted] in every form", () => {
    const value = secret("hunter2");
    const forms = [
      String(value),
      `${value}`,
      JSON.stringify({ value }),
      inspect({ value }, { depth: 9, showHidden: true }),
      JSON.stringify(Object.entries(value)),
      `${{ ...value }.toString()}`,
    ];
    for (const form of forms) expect(form).not.toContain("hunter2");
    expect(value.reveal()).toBe("hunter2");
  });
});

describe("what is pasted", () => {
  const state = "s".repeat(20);
  const query = `?code=abc&state=${state}`;
  it("may be a code, a redirected URL, or its query", () => {
    expect(readPasted(" abc ", state, "https://i")).toEqual({ kind: "query", query: `?code=abc&state=${state}&iss=https%3A%2F%2Fi` });
    expect(readPasted(`http://localhost:8000/${query}`, state, undefined)).toEqual({ kind: "query", query });
    expect(readPasted(`"http://localhost:8000/${query}#x"`, state, undefined)).toEqual({ kind: "query", query });
    expect(readPasted(query, state, undefined)).toEqual({ kind: "query", query });
  });
  it("of another login is refused", () => expect(readPasted("http://localhost:8000/?code=abc&state=other", state, undefined)).toEqual({ kind: "wrong-state" }));
  it.each(["", "   ", "two words", "https://id.example.com/authorize?x=y"])("%j is nothing", (text) => expect(readPasted(text, state, undefined).kind).toBe("nothing"));
});

describe("the data folder", () => {
  afterEach(() => vi.unstubAllEnvs());
  it.runIf(process.platform === "linux").each([[{ HOME: "/home/ann", XDG_DATA_HOME: "" }], [{ HOME: "/home/ann", XDG_DATA_HOME: "/data" }]])("is env-paths' (%j)", async (env) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    if (env.XDG_DATA_HOME === "") vi.stubEnv("XDG_DATA_HOME", undefined);
    // env-paths asks os.homedir(), which reads HOME when it is asked.
    vi.resetModules();
    const fresh = (await import("env-paths")).default as typeof envPaths;
    expect(dataFolder("linux", process.env)).toBe(fresh("kubectl-oidc", { suffix: "" }).data);
  });
  it("has env-paths' form on other platforms", () => {
    expect(dataFolder("darwin", { HOME: "/Users/ann" })).toBe("/Users/ann/Library/Application Support/kubectl-oidc");
    expect(dataFolder("win32", { LOCALAPPDATA: "C:\\L" })).toBe("C:\\L\\kubectl-oidc\\Data");
    expect(dataFolder("linux", {})).toBeUndefined();
  });
});

describe("memo inputs", () => {
  it("know every option whose value may be a secret", () => {
    expect([...secretOptions].sort()).toEqual(
      optionTable
        .filter((row) => "secret" in row)
        .map((row) => row.name)
        .sort(),
    );
    expect(secretVariables).toEqual(secretOptions.map(environmentName));
  });
  it("keep secrets apart, in arguments of both forms and in variables", () => {
    const { open, secrets } = memoInputs(["get-token", "--password=one", "--oidc-client-secret", "two", "--account=ann"], { KUBECTL_OIDC_PASSWORD: "three", OTHER: "x" }, "1");
    expect(secrets).toEqual(["one", "two", "three"]);
    expect(JSON.stringify(open)).not.toMatch(/one|two|three|OTHER/);
    expect(open).toContain("--account=ann");
  });
});

describe("the pause after a login that failed (M5)", () => {
  it.each([
    [1, 10],
    [2, 60],
    [3, 300],
    [4, 1800],
    [9, 1800],
  ])("after %i failures is %i s from the login's end", (failures, length) => {
    const pause = parsePause(JSON.stringify({ failures, endedAt: 1000 }));
    expect(pauseLeft(pause, 1000)).toBe(length);
    expect(pauseLeft(pause, 1000 + length - 1)).toBe(1);
    expect(pauseLeft(pause, 1000 + length)).toBe(0);
    // Another host's clock may be a little behind; one that was set back by hours ends it, or it would last for them.
    expect(pauseLeft(pause, 1000 - length)).toBe(length);
    expect(pauseLeft(pause, 999 - length)).toBe(0);
  });
  it.each([undefined, "", "{", "[]", '{"failures":"x"}', '{"failures":0,"endedAt":1}'])("%j is none", (text) => expect(pauseLeft(parsePause(text), 1)).toBe(0));
});

describe("server trust (M9)", () => {
  const one = { origin: "https://a", authority: "system" };
  it("an empty list trusts any; then exactly the named ones, CA, TLS name and proxy included", () => {
    expect(mayBeUsedWith([], one)).toBe(true);
    expect(mayBeUsedWith([one], undefined)).toBe(true);
    expect(mayBeUsedWith([one], { ...one })).toBe(true);
    for (const other of [
      { ...one, origin: "https://b" },
      { ...one, authority: "insecure" },
      { ...one, tlsServerName: "x" },
      { ...one, proxy: "http://p" },
    ])
      expect(mayBeUsedWith([one], other)).toBe(false);
    expect(withServer([one], { ...one })).toEqual([one]);
  });
  it("trust is weaker with one more authority or no check, not with fewer", () => {
    expect(isWeakerTrust({ insecure: false, authorities: ["a", "b"] }, { insecure: false, authorities: ["a"] })).toBe(true);
    expect(isWeakerTrust({ insecure: true, authorities: [] }, { insecure: false, authorities: [] })).toBe(true);
    expect(isWeakerTrust({ insecure: false, authorities: [] }, { insecure: false, authorities: ["a"] })).toBe(false);
  });
});

describe("stored texts", () => {
  it("of any kind are a record, damaged or newer, never a crash", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        for (const parse of [parseSessionRecord, parseSecretItem, parseCredentialRecord])
          expect(["damaged", "newer", "object"]).toContain(typeof parse(text) === "string" ? parse(text) : "object");
      }),
    );
    for (const parse of [parseSessionRecord, parseSecretItem, parseCredentialRecord]) {
      expect(parse('{"schema":2}')).toBe("newer");
      expect(parse("{}")).toBe("damaged");
    }
  });
});
