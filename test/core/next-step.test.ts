import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideNextStep, type Situation } from "../../src/core/next-step.ts";

const credential = { schema: 1 as const, sessionKey: "k", kind: "id" as const, token: "t", expiresAt: 3600, receivedAt: 0, servers: [], memoIds: [] };
const situation = (parts: Partial<Situation>): Situation => ({
  credential: undefined,
  canRefresh: false,
  now: 100,
  minValidity: 60,
  refreshWanted: false,
  loginAllowed: true,
  refresh: "untried",
  ...parts,
});

describe("what should happen next", () => {
  it.each<[string, Partial<Situation>, object]>([
    ["a good token is used", { credential, canRefresh: true }, { step: "use" }],
    ["an old token is refreshed", { credential, canRefresh: true, now: 3590 }, { step: "refresh" }],
    ["nothing stored: a login", {}, { step: "login", reason: "no-session" }],
    ["nothing stored and no person: LOGIN_REQUIRED", { loginAllowed: false }, { step: "refuse", code: "LOGIN_REQUIRED" }],
    ["refused by the issuer: a login", { refresh: "refused", canRefresh: true, now: 4000, credential }, { step: "login", reason: "refused" }],
    ["refused by the issuer and no person: SESSION_REVOKED", { refresh: "refused", canRefresh: true, loginAllowed: false }, { step: "refuse", code: "SESSION_REVOKED" }],
    ["a fault with a token that is still usable: the token", { refresh: "fault", canRefresh: true, credential, now: 3570 }, { step: "use" }],
    ["a fault without a usable token: the fault, never a login", { refresh: "fault", canRefresh: true, credential, now: 3595 }, { step: "fault" }],
    ["--force-refresh refreshes a good token once", { refreshWanted: true, canRefresh: true, credential }, { step: "refresh" }],
    ["after that refresh the token is used", { refreshWanted: true, canRefresh: true, credential, refresh: "done" }, { step: "use" }],
  ])("%s", (_, parts, expected) => {
    expect(decideNextStep(situation(parts))).toMatchObject(expected);
  });

  it("a fault never leads to a login, and a call without a person never to one", () => {
    const any = fc.record({
      credential: fc.option(fc.record({ expiresAt: fc.integer({ min: 0, max: 5000 }), receivedAt: fc.integer({ min: 0, max: 5000 }) }), { nil: undefined }),
      canRefresh: fc.boolean(),
      now: fc.integer({ min: 0, max: 6000 }),
      minValidity: fc.integer({ min: 0, max: 600 }),
      refreshWanted: fc.boolean(),
      loginAllowed: fc.boolean(),
      refresh: fc.constantFrom<Situation["refresh"]>("untried", "done", "fault", "refused"),
    });
    fc.assert(
      fc.property(any, (parts) => {
        const next = decideNextStep({ ...parts, credential: parts.credential && { ...credential, ...parts.credential } });
        if (parts.refresh === "fault" || !parts.loginAllowed) expect(next.step).not.toBe("login");
        if (parts.refresh !== "untried") expect(next.step).not.toBe("refresh");
      }),
    );
  });
});
