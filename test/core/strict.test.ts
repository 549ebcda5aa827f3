import { describe, expect, it } from "vitest";
import type { RawOptions } from "../../src/core/option-values.ts";
import { checkStrict } from "../../src/core/strict.ts";
import { codeOf } from "../fakes/codes.ts";

const issuer = { "oidc-issuer-url": ["https://evil.example.com"] };
const judged = (options: RawOptions, allow: Readonly<Record<string, readonly string[]>> = {}, isOwnFile = false) =>
  codeOf(() => checkStrict([{ label: "stanza", typed: false, ...(isOwnFile ? { isOwnFile: true as const } : {}), options }], {}, true, allow));

describe("under strict, a machine's own token", () => {
  it.each<[string, RawOptions]>([
    ["a file", { "subject-token-file": ["/home/ann/.vault-token"] }],
    ["a variable", { "subject-token-variable": ["SECRET"] }],
    ["whatever there is", { "grant-type": ["token-exchange"] }],
    ["whatever there is, as an assertion", { "grant-type": ["jwt-bearer"] }],
    ["an identity", { identity: ["github"] }],
  ])("%s, goes to no issuer that the file does not list", (_, options) => {
    expect(judged({ ...issuer, ...options })).toBe("SETTINGS_INVALID");
    expect(judged({ ...issuer, ...options }, { "oidc-issuer-url": ["https://evil.example.com"] })).toBe("none");
    expect(judged({ ...issuer, ...options }, {}, true)).toBe("none");
  });
  it("is not what a person's login sends", () => expect(judged({ ...issuer, "grant-type": ["device-code"] })).toBe("none"));
});
