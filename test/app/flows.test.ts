import { describe, expect, it } from "vitest";
import { deviceFlow } from "../../src/app/device-flow.ts";
import type { FlowContext } from "../../src/app/flow-context.ts";
import { loginRequest } from "../../src/app/login-request.ts";
import type { Run } from "../../src/app/world.ts";
import type { RawOptions } from "../../src/core/option-values.ts";
import { secret } from "../../src/core/secret.ts";
import { resolveSettings } from "../../src/core/settings.ts";
import { OidcError } from "../../src/errors/oidc-error.ts";
import type { DevicePoll, IssuerFacts, OpenIdProvider, TokenAnswer } from "../../src/ports.ts";
import { codeOfPromise } from "../fakes/codes.ts";

const settingsOf = (options: RawOptions = {}) =>
  resolveSettings([{ label: "", typed: true, options: { "oidc-issuer-url": ["https://id.example.com"], "oidc-client-id": ["k"], ...options } }]);
const answer: TokenAnswer = { idToken: secret("i"), accessToken: undefined, refreshToken: undefined, expiresIn: 300, claims: { sub: "ann" } };
const pending: DevicePoll = { kind: "pending" };
const unreachable = new OidcError("ISSUER_UNREACHABLE", { reason: "HTTP 503" });

/** A device flow on a clock of its own: gives the seconds between polls, and what was said and opened. */
async function devicePolls(polls: readonly (DevicePoll | Error)[], device: { readonly interval?: number; readonly expiresIn?: number; readonly opens?: boolean } = {}) {
  const waits: number[] = [];
  const said: string[] = [];
  const opened: string[] = [];
  let now = 0;
  const left = [...polls];
  const provider = {
    startDevice: async () => ({
      deviceCode: secret("d"),
      userCode: "ABCD",
      verificationUri: "https://id.example.com/activate",
      verificationUriComplete: "https://id.example.com/activate?code=ABCD",
      interval: device.interval ?? 5,
      expiresIn: device.expiresIn ?? 600,
      verifier: secret("v"),
    }),
    pollDevice: async () => {
      const next = left.shift() ?? { kind: "tokens" as const, answer };
      if (next instanceof Error) throw next;
      return next;
    },
  } as unknown as OpenIdProvider;
  const world = {
    clock: {
      now: () => now,
      sleep: async (ms: number) => {
        waits.push(ms / 1000);
        now += ms;
      },
    },
    terminal: { say: (line: string) => said.push(line), warn: (line: string) => said.push(line), log: () => undefined },
    browser: {
      available: () => true,
      open: async (url: string) => {
        opened.push(url);
        return true;
      },
    },
    qr: async () => ["qr"],
    undisturbed: <T>(action: () => Promise<T>) => action(),
    requestsWithin: <T>(_ms: number, action: () => Promise<T>) => action(),
  };
  const settings = settingsOf(device.opens === false ? { "skip-open-browser": ["true"] } : {});
  const context = {
    run: { world, settings } as unknown as Run,
    provider,
    request: { scope: "openid", extra: [], asksOffline: false },
    before: async () => undefined,
    signal: new AbortController().signal,
    forServer: "",
    events: undefined,
    opened: () => undefined,
    keep: async () => undefined,
    received: () => false,
    timeoutOr: (error: unknown) => error,
  } as unknown as FlowContext;
  const code = await codeOfPromise(deviceFlow(context));
  return { code, waits, said, opened };
}

describe("the device flow", () => {
  it("polls at the issuer's interval [DV-04]", async () => expect((await devicePolls([pending, pending])).waits).toEqual([5, 5, 5]));
  it("slow_down adds five seconds to this and all later intervals (RFC 8628, section 3.5) [DV-05]", async () => {
    expect((await devicePolls([pending, { kind: "slow-down" }, pending, { kind: "slow-down" }])).waits).toEqual([5, 5, 10, 10, 15]);
  });
  it("network faults double the wait up to a minute and never end the flow [DV-10]", async () => {
    const { code, waits } = await devicePolls([unreachable, unreachable, unreachable, unreachable, unreachable, pending]);
    expect(waits).toEqual([5, 10, 20, 40, 60, 60, 5]);
    expect(code).toBe("none");
  });
  it("waits as long as a busy issuer asks, and then at the usual interval; never beyond the code's life [DV-07, DV-11]", async () => {
    expect((await devicePolls([{ kind: "later", seconds: 90 }, pending])).waits).toEqual([5, 90, 5]);
    expect((await devicePolls([{ kind: "later", seconds: 2 }])).waits).toEqual([5, 5]);
    expect(await devicePolls([{ kind: "later", seconds: 100_000 }], { expiresIn: 20 })).toMatchObject({ code: "DEVICE_CODE_EXPIRED", waits: [5, 15] });
  });
  it("ends with the code's life, not later [DV-07]", async () => {
    const { code, waits } = await devicePolls(
      Array.from({ length: 99 }, () => pending),
      { interval: 7, expiresIn: 20 },
    );
    expect(code).toBe("DEVICE_CODE_EXPIRED");
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBe(20);
  });
  it("a refusal of the issuer ends it at once [DV-06, DV-12]", async () => expect((await devicePolls([new OidcError("LOGIN_DENIED", {})])).code).toBe("LOGIN_DENIED"));
  it("always shows code and URL, and opens the complete one when that is allowed [DV-02]", async () => {
    const { said, opened } = await devicePolls([]);
    expect(said.join("\n")).toMatch(/activate and enter the code ABCD[\s\S]*activate\?code=ABCD/);
    expect(opened).toEqual(["https://id.example.com/activate?code=ABCD"]);
    expect((await devicePolls([], { opens: false })).opened).toEqual([]);
  });
});

describe("what a login asks for", () => {
  const facts = (more: Partial<IssuerFacts> = {}): IssuerFacts => ({
    issuer: "",
    supportsOffline: true,
    supportsDevice: true,
    supportsRevocation: true,
    supportsExchange: false,
    deniesS256: false,
    authorizationEndpoint: "",
    endSessionEndpoint: "",
    ...more,
  });
  const request = (
    options: RawOptions = {},
    more: { readonly keeps?: boolean; readonly withOffline?: boolean; readonly account?: string; readonly facts?: Partial<IssuerFacts> } = {},
  ) => {
    const { scope, extra } = loginRequest(
      { settings: settingsOf(options), session: { identity: { account: more.account } }, world: { store: { keeps: more.keeps ?? true } } } as unknown as Run,
      facts(more.facts),
      more.withOffline ?? true,
    );
    return { scope, ...Object.fromEntries(extra) };
  };
  it("offline_access when the issuer advertises it and something can be stored", () => {
    expect(request()).toEqual({ scope: "openid offline_access", prompt: "consent" });
    expect(request({}, { keeps: false })).toEqual({ scope: "openid" });
    expect(request({}, { facts: { supportsOffline: false } })).toEqual({ scope: "openid" });
    expect(request({}, { withOffline: false })).toEqual({ scope: "openid" });
    expect(request({ "no-offline-access": ["true"] })).toEqual({ scope: "openid" });
  });
  it("what the person named stays, whatever the issuer advertises", () => {
    expect(request({ "oidc-extra-scope": ["offline_access,email"] }, { facts: { supportsOffline: false } })).toEqual({ scope: "openid email offline_access" });
    expect(request({ prompt: ["select_account"] })).toMatchObject({ prompt: "select_account" });
  });
  it("the account of the stored session, also when --account does not name it: nobody else is to log in there", () => {
    expect(request({}, { account: "ann" })).toMatchObject({ login_hint: "ann" });
    expect(request({ account: ["bob"] }, { account: "bob" })).toMatchObject({ login_hint: "bob" });
  });
  it("max_age, whenever the time of the authentication must be proven", () => {
    expect(request({ prompt: ["login"] })).toMatchObject({ prompt: "login", max_age: "180" });
    expect(request({ prompt: ["consent login"], "authentication-timeout-sec": ["60"] })).toMatchObject({ prompt: "consent login", max_age: "60" });
    expect(request({ prompt: ["login"], "max-age": ["3600"] })).toMatchObject({ max_age: "3600" });
    // A login that is nearly as old as the session may be would end at once.
    expect(request({ "session-max-age": ["8h"] })).toMatchObject({ max_age: "25920" });
    expect(request({ "session-max-age": ["8h"], "max-age": ["60"] })).toMatchObject({ max_age: "60" });
    expect(request({ prompt: ["consent"] })).not.toHaveProperty("max_age");
  });
  it("Google's own word for it", () => {
    expect(request({ "oidc-issuer-url": ["https://accounts.google.com"] }, { facts: { supportsOffline: false } })).toEqual({ scope: "openid", access_type: "offline" });
  });
  it("no consent page at Entra ID, where an administrator would have to answer it", () => {
    for (const issuer of ["https://login.microsoftonline.com/t/v2.0", "https://company.b2clogin.com/t/v2.0/", "https://company.ciamlogin.com/t/v2.0"])
      expect(request({ "oidc-issuer-url": [issuer] })).toEqual({ scope: "openid offline_access" });
  });
  it("Google's own word counts for Google alone, and not where nothing is stored or nothing was wished", () => {
    const google = { "oidc-issuer-url": ["https://accounts.google.com"] };
    expect(request(google, { keeps: false })).toEqual({ scope: "openid" });
    expect(request({ ...google, "no-offline-access": ["true"] })).toEqual({ scope: "openid" });
    expect(request({ "oidc-issuer-url": ["https://accounts.google.com.example.org"] })).not.toHaveProperty("access_type");
  });
  it("an API at Auth0 by Auth0's word for it", () => {
    const asked = request({ "oidc-issuer-url": ["https://company.eu.auth0.com/"], "oidc-audience": ["https://k8s.example.com"] });
    expect(asked).toMatchObject({ audience: "https://k8s.example.com" });
    expect(asked).not.toHaveProperty("resource");
  });
  it("account, policy, audience and further parameters", () => {
    expect(request({ account: ["ann"], "acr-values": ["mfa"], "max-age": ["60"], "oidc-audience": ["prod"], "oidc-auth-request-extra-params": ["hd=example.com"] })).toMatchObject({
      login_hint: "ann",
      acr_values: "mfa",
      max_age: "60",
      resource: "prod",
      hd: "example.com",
    });
  });
});
