import { describe, expect, it } from "vitest";
import { authenticatedSince, checkAuthenticated, endOfSession, loginTime, maxAgeToAskFor, whyNewLogin } from "../../src/core/authentication-age.ts";
import type { SecretItem } from "../../src/core/session.ts";
import { codeOf } from "../fakes/codes.ts";

const now = 1_800_000_000;
const hour = 3600;
const wanted = (more: object) => ({ prompt: undefined, maxAge: undefined, sessionMaxAge: undefined, authenticationTimeout: 180, ...more });

describe("what is asked of a login", () => {
  it("nothing by itself", () => {
    expect(maxAgeToAskFor(wanted({}))).toBeUndefined();
    expect(authenticatedSince(wanted({ prompt: "consent select_account" }), now, now)).toBeUndefined();
  });
  it("prompt=login, alone or in a list: not before it began, but for half a minute of clocks; max_age has the issuer say when", () => {
    for (const prompt of ["login", "login consent", "select_account  login"]) {
      expect(maxAgeToAskFor(wanted({ prompt }))).toBe(180);
      expect(authenticatedSince(wanted({ prompt }), now, now + 100)).toBe(now - 30);
    }
    expect(maxAgeToAskFor(wanted({ prompt: "relogin" }))).toBeUndefined();
  });
  it("of several the strictest", () => {
    expect(maxAgeToAskFor(wanted({ prompt: "login", maxAge: hour }))).toBe(hour);
    expect(authenticatedSince(wanted({ prompt: "login", maxAge: hour }), now, now)).toBe(now - 30);
    expect(authenticatedSince(wanted({ prompt: "login", maxAge: 0 }), now, now + 100)).toBe(now + 90);
    expect(maxAgeToAskFor(wanted({ maxAge: hour, sessionMaxAge: 600 }))).toBe(540);
    expect(authenticatedSince(wanted({ maxAge: hour, sessionMaxAge: 600 }), now, now)).toBe(now - 550);
  });
  it("of the shortest session half a minute is left at least", () => {
    expect(maxAgeToAskFor(wanted({ sessionMaxAge: 60 }))).toBe(30);
  });
  it("is proven by auth_time alone", () => {
    expect(codeOf(() => checkAuthenticated({}, undefined))).toBe("none");
    expect(codeOf(() => checkAuthenticated({ auth_time: now }, now))).toBe("none");
    for (const claims of [{}, { auth_time: now - 1 }, { auth_time: String(now) }, { auth_time: null }, { iat: now }])
      expect(codeOf(() => checkAuthenticated(claims, now))).toBe("POLICY_NOT_MET");
  });
});

describe("the age of a session", () => {
  const item = (more: Partial<SecretItem>): SecretItem => ({ schema: 1, refreshToken: "r", trust: { insecure: false, authorities: [] }, servers: [], ...more });
  const why = (more: Partial<SecretItem>, sessionMaxAge: number | undefined = hour, at = now) => whyNewLogin(item(more), { sessionMaxAge, dpop: "auto" }, at);

  it("counts from the authentication, or from the login when that is all that is known, or was earlier", () => {
    expect(loginTime({ at: now, authTime: now - 100 })).toBe(now - 100);
    expect(loginTime({ at: now, authTime: now + 100 })).toBe(now);
    expect(loginTime({ authTime: now })).toBe(now);
    // Of an item that an earlier version wrote it may be a refreshed token's.
    expect(loginTime({ iat: now })).toBeUndefined();
  });
  it("without --session-max-age is of no interest", () => {
    expect(whyNewLogin(item({}), { sessionMaxAge: undefined, dpop: "auto" }, now)).toBeUndefined();
    expect(endOfSession(undefined, undefined, now)).toBe(Number.POSITIVE_INFINITY);
  });
  it("within it is refreshed; what is left must be of use", () => {
    expect(why({ login: { at: now - hour + 30 } })).toBeUndefined();
    expect(why({ login: { at: now - hour + 29 } })).toContain("older");
    expect(why({ login: { at: now, authTime: now - hour } })).toContain("older");
  });
  it("that is not known is too old, and so is one that lies ahead: the clock is wrong, or was", () => {
    expect(why({})).toContain("not known");
    expect(why({ login: { iat: now } })).toContain("not known");
    expect(why({ login: { at: now + 31 } })).toContain("future");
    expect(why({ login: { at: now + 30 } })).toBeUndefined();
    expect(endOfSession(undefined, hour, now)).toBe(now);
  });
  it("of an answer that was not judged yet is that of its login, not of the one before", () => {
    const pending = { refreshToken: "r2", body: "{}", receivedAt: "", ofNewLogin: true as const };
    expect(why({ login: { at: now - 2 * hour }, pending: { ...pending, newLogin: { at: now } } })).toBeUndefined();
    expect(why({ login: { at: now }, pending })).toContain("not known");
    expect(why({ login: { at: now }, pending: { refreshToken: "r2", body: "{}", receivedAt: "" } })).toBeUndefined();
  });
});

describe("--dpop=always", () => {
  const why = (more: Partial<SecretItem>) =>
    whyNewLogin({ schema: 1, refreshToken: "r", trust: { insecure: false, authorities: [] }, servers: [], ...more }, { sessionMaxAge: undefined, dpop: "always" }, now);
  it("wants the newest refresh token bound", () => {
    expect(why({ dpopKey: "k" })).toBeUndefined();
    expect(why({})).toContain("--dpop=always");
    const pending = { refreshToken: "r2", body: "{}", receivedAt: "", ofNewLogin: true as const };
    expect(why({ dpopKey: "k", pending })).toContain("--dpop=always");
    expect(why({ pending: { ...pending, newLogin: { dpopKey: "k2" } } })).toBeUndefined();
  });
});
