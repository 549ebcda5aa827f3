import { describe, expect, it } from "vitest";
import { catalogue, type ErrorCode, entryOf } from "../../src/errors/catalogue.ts";
import { fail, isOidcError, OidcError, oidcErrorWithin } from "../../src/errors/oidc-error.ts";
import { errorJson, terminalLines } from "../../src/errors/render.ts";

/** The contract's table: codes and statuses never move. */
const contract: Readonly<Record<number, readonly ErrorCode[]>> = {
  1: ["UNEXPECTED"],
  2: ["FLAG_INVALID", "FLAG_CONFLICT", "COMMAND_UNKNOWN", "CONFIRMATION_REQUIRED"],
  20: ["LOGIN_REQUIRED", "LOGIN_DENIED", "LOGIN_TIMED_OUT", "DEVICE_CODE_EXPIRED", "SESSION_REVOKED", "LOGIN_PAUSED", "ACCOUNT_MISMATCH", "POLICY_NOT_MET"],
  30: [
    "ISSUER_UNREACHABLE",
    "ISSUER_TLS_UNTRUSTED",
    "ISSUER_MISMATCH",
    "DISCOVERY_INVALID",
    "CLIENT_REJECTED",
    "SCOPE_REJECTED",
    "ID_TOKEN_MISSING",
    "ID_TOKEN_INVALID",
    "GRANT_UNSUPPORTED",
    "API_SERVER_UNREACHABLE",
    "RELEASES_UNREACHABLE",
  ],
  40: [
    "SETTINGS_INCOMPLETE",
    "SETTINGS_INVALID",
    "SUBJECT_TOKEN_INVALID",
    "EXEC_INFO_INVALID",
    "API_VERSION_UNSUPPORTED",
    "CONTEXT_NOT_FOUND",
    "KUBECONFIG_UNREADABLE",
    "SERVER_NOT_TRUSTED",
    // Added beside the contract: codes may be added.
    "TOKEN_REFUSED",
  ],
  50: [
    "KEYCHAIN_UNAVAILABLE",
    "KEYCHAIN_LOCKED",
    "KEYCHAIN_TIMED_OUT",
    "STORE_UNREADABLE",
    "STORE_UNWRITABLE",
    "STORE_UNSAFE",
    "ENVIRONMENT_UNSAFE",
    "AUDIT_ENTRY_NOT_FOUND",
    "LOCK_TIMED_OUT",
    "PORTS_IN_USE",
    "BROWSER_UNAVAILABLE",
    "KUBECONFIG_UNWRITABLE",
  ],
  130: ["INTERRUPTED"],
};

describe("the catalogue", () => {
  it.each(Object.entries(contract))("has exactly the codes of status %s", (status, codes) => {
    const found = (Object.keys(catalogue) as ErrorCode[]).filter((code) => entryOf(code).exit === Number(status));
    expect(found.sort()).toEqual([...codes].sort());
  });
  it.each(Object.entries(catalogue))("%s: a short lower-case title, an explanation, a cure", (_, { title, explanation, hint }) => {
    expect(title.length).toBeLessThanOrEqual(60);
    expect(title).not.toMatch(/^[A-Z][a-z]|\.$/);
    expect(explanation).toMatch(/^(?:[A-Z-]|kubectl).*\.$/);
    expect(hint.length).toBeGreaterThan(5);
    expect(`${title}${hint}`).not.toMatch(/[\n\r]/);
  });
});

describe("an error", () => {
  const error = new OidcError("ISSUER_UNREACHABLE", { message: "id.example.com cannot be reached", reason: "connect ECONNREFUSED" });
  it("is three lines at most, with code and cure", () => {
    expect(terminalLines(error)).toEqual([
      "kubectl-oidc: error: id.example.com cannot be reached [ISSUER_UNREACHABLE]",
      "kubectl-oidc: cause: connect ECONNREFUSED",
      expect.stringMatching(/^kubectl-oidc: hint: /),
    ]);
    expect(terminalLines(new OidcError("LOGIN_REQUIRED", {})).length).toBe(2);
  });
  it("is one JSON object", () => {
    expect(JSON.parse(errorJson(error))).toEqual({
      code: "ISSUER_UNREACHABLE",
      title: catalogue.ISSUER_UNREACHABLE.title,
      detail: "id.example.com cannot be reached: connect ECONNREFUSED",
      hint: error.hint,
      exit: 30,
    });
  });
  it("is found under what a library wrapped around it", () => {
    const wrapped = new Error("library", { cause: new Error("inner", { cause: error }) });
    expect(oidcErrorWithin(wrapped)).toBe(error);
    expect(isOidcError(wrapped)).toBe(false);
    expect(oidcErrorWithin("text")).toBeUndefined();
  });
  it("is thrown by fail", () => expect(() => fail("LOGIN_DENIED")).toThrow(catalogue.LOGIN_DENIED.title));
});
