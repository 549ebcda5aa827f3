import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readConfigFile } from "../../src/adapters/config-file.ts";
import { parseConfig } from "../../src/adapters/config-text.ts";
import { codeOf } from "../fakes/codes.ts";
import { isOidcError, type OidcError } from "../../src/errors/oidc-error.ts";

function caught(action: () => unknown): OidcError {
  try {
    action();
  } catch (error) {
    if (isOidcError(error)) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-config-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const write = (text: string, mode = 0o644) => {
  const file = join(folder, "config.yaml");
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
};

describe("the configuration file", () => {
  it("holds strict, allow, defaults, profiles and audit", () => {
    const text =
      "strict: true\naudit: true\nallow:\n  browser-command: [firefox]\ndefaults:\n  max-age: 60\nprofiles:\n  work:\n    oidc-extra-scope: [a, b]\n    oidc-auth-request-extra-params: {x: 1}\n";
    expect(parseConfig(text, "c")).toEqual({
      path: "c",
      strict: true,
      audit: true,
      allow: { "browser-command": ["firefox"] },
      defaults: { "max-age": ["60"] },
      profiles: { work: { "oidc-extra-scope": ["a", "b"], "oidc-auth-request-extra-params": ["x=1"] } },
    });
    expect(parseConfig("", "c")).toMatchObject({ strict: false, defaults: {} });
  });
  it.each([
    "- a",
    "a: [",
    "nonsense: 1",
    "strict: maybe",
    "defaults: {nonsense: 1}",
    "defaults: {profile: x}",
    "profiles: {a: 1}",
    "allow: {account: {b: c}}",
    "allow: {a: b}",
    "defaults: {account: {a: b}}",
    `a: ${"[".repeat(200)}`,
  ])("%s is refused", (text) => {
    expect(codeOf(() => parseConfig(text, "c"))).toBe("SETTINGS_INVALID");
  });
  it.each<[string, RegExp]>([
    ["profile: {a: {}}", /unknown key profile\n.*did you mean profiles\?/],
    ["Strict: true", /unknown key Strict\n.*did you mean strict\?/],
    ["default: {}", /did you mean defaults\?/],
    ["oidc-issuer-url: https://id", /did you mean defaults: with oidc-issuer-url below it\?/],
    ["defaults: {issuer-url: x}", /defaults: unknown option issuer-url\n.*did you mean oidc-issuer-url\?/],
    ["profiles: {work: {oidc_issuer_url: x}}", /profile work: unknown option oidc_issuer_url\n.*did you mean oidc-issuer-url\?/],
    ["profiles: {work: {grant-tpye: auto}}", /did you mean grant-type\?/],
    ["defaults: {profile: x}", /cannot name a profile\n.*correct c/],
    ["allow: {browser-comand: [x]}", /allow: unknown option browser-comand\n.*did you mean browser-command\?/],
    ["allow: {Browser: [x]}", /did you mean BROWSER\?/],
    ["allow: {colour: [x]}", /unknown option colour\n.*correct c$/],
  ])("%s is refused with the nearest name", (text, expected) => {
    const refused = caught(() => parseConfig(text, "c"));
    expect(`${refused.message}\n${refused.hint}`).toMatch(expected);
  });
  it("may allow values of the variables that strict looks at", () => {
    const variables = ["BROWSER", "KUBECACHEDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"];
    for (const name of variables) expect(parseConfig(`allow: {${name}: [x]}`, "c").allow).toEqual({ [name]: ["x"] });
  });
  it("of any text is read or refused by name", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", ":", " ", "\n", "-", "[", "]", "{", "}", "&", "*", '"', "'", "|", "strict", "defaults", "\t", "!", "%", "#") }),
        (text) => {
          expect(["none", "SETTINGS_INVALID"]).toContain(codeOf(() => parseConfig(text, "c")));
        },
      ),
    );
  });
  it("may be a link and may be read by others, but not written by them", () => {
    const file = write("strict: true");
    symlinkSync(file, join(folder, "link"));
    expect(readConfigFile(join(folder, "link"))?.strict).toBe(true);
    expect(codeOf(() => readConfigFile(write("strict: true", 0o664)))).toBe("STORE_UNSAFE");
  });
  it("is absent without a word, unless it was named", () => {
    expect(readConfigFile(join(folder, "none"))).toBeUndefined();
    expect(codeOf(() => readConfigFile(join(folder, "none"), { mustExist: true }))).toBe("SETTINGS_INVALID");
    expect(codeOf(() => readConfigFile(folder))).toBe("SETTINGS_INVALID");
  });
});
