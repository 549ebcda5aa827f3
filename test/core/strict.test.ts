import { describe, expect, it } from "vitest";
import type { RawOptions } from "../../src/core/option-values.ts";
import { checkEndpoint, checkStrict } from "../../src/core/strict.ts";
import type { Subject } from "../../src/core/subject-source.ts";
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
  describe("that a job of GitHub asks for", () => {
    const job: Subject = { source: { kind: "github" }, identity: "GitHub Actions", isWithin: false };
    const asked = (url: string, allow: Readonly<Record<string, readonly string[]>> = {}, subject: Subject | undefined = job) =>
      codeOf(() => checkEndpoint(subject, { ACTIONS_ID_TOKEN_REQUEST_URL: url }, allow));
    it("is asked for at GitHub's own endpoints, and at the origins that the file lists", () => {
      for (const host of ["run-actions-1-azure-eastus.actions.githubusercontent.com", "pipelinesghubeus6.actions.githubusercontent.com"])
        expect(asked(`https://${host}/8//idtoken/plan/job?api-version=2.0`)).toBe("none");
      const allow = { ACTIONS_ID_TOKEN_REQUEST_URL: ["https://git.example.com"] };
      expect(asked("https://git.example.com/_services/pipelines/x?y=1", allow)).toBe("none");
      expect(asked("https://git.example.com:8443/_services", allow)).toBe("SETTINGS_INVALID");
    });
    it.each([
      "https://evil.example.com/idtoken",
      "http://run.actions.githubusercontent.com/idtoken",
      "http://127.0.0.1:8000/idtoken",
      "https://actions.githubusercontent.com.evil.example/",
      "https://evil-actions.githubusercontent.com/",
    ])("is not asked for at %s, where the job's request token would go", (url) => {
      expect(asked(url)).toBe("SETTINGS_INVALID");
      expect(asked(url, {}, { ...job, source: { kind: "file", path: "/token" } })).toBe("none");
    });
  });
  it("is not what a person's login sends", () => expect(judged({ ...issuer, "grant-type": ["device-code"] })).toBe("none"));
});
