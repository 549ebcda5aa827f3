import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EndpointStage, endpointStage } from "../adapters/endpoint-stage.ts";
import { credentialOf, errorCode } from "../e2e/program.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import type { Override } from "../issuer/misbehaving.ts";
import { changeJson, onlyFor } from "../issuer/misbehaviours.ts";
import { onStage } from "./lying-stage.ts";

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";
const before = async () => undefined;

let stage: EndpointStage;
beforeAll(async () => {
  stage = await endpointStage();
});
afterAll(() => stage.issuer.stop());

const started = async (changes: Readonly<Record<string, unknown>>) => {
  stage.issuer.become({ device_authorization: changeJson(changes) });
  return stage.provider().startDevice({ scope: "openid", extra: [] });
};

describe("a device authorization answer", () => {
  it.each<[string, unknown, number]>([
    ["none", undefined, 5],
    ["a usual one", 7, 7],
    ["0", 0, 5],
    ["a negative one", -3, 5],
    ["a text", "7", 7],
    ["no number", "soon", 5],
    ["an object", {}, 5],
    ["null", null, 5],
    ["a fraction", 0.001, 1],
    ["an endless one", 1e9, 60],
  ])("with %s as interval is polled sanely [DV-03, DV-08, DV-09]", async (_, interval, expected) => {
    expect((await started({ interval })).interval).toBe(expected);
  });
  it.each<[string, unknown, number]>([
    ["none", undefined, 600],
    ["a usual one", 300, 300],
    ["a text", "300", 300],
    ["0", 0, 600],
    ["an endless one (beyond what a timer takes)", 1e12, 1800],
    ["no number", {}, 600],
  ])("with %s as life ends sanely [DV-08, DV-09]", async (_, expires, expected) => {
    expect((await started({ expires_in: expires })).expiresIn).toBe(expected);
  });
});

describe("a poll", () => {
  const poll = async (token: Override) => {
    stage.issuer.become({ token: onlyFor(deviceGrant, token) });
    const asked = stage.provider();
    return asked.pollDevice(await asked.startDevice({ scope: "openid", extra: [] }), before);
  };
  it.each<[string, Override, object]>([
    ["that is pending, whatever its status", oauthError("authorization_pending"), { kind: "pending" }],
    ["that comes too often", oauthError("slow_down"), { kind: "slow-down" }],
    ["of a busy issuer (503)", { status: 503, text: "", headers: { "retry-after": "7" } }, { kind: "later", seconds: 7 }],
    ["of a busy issuer that says so in JSON", { status: 503, json: { error: "temporarily_unavailable" }, headers: { "retry-after": "8" } }, { kind: "later", seconds: 8 }],
    ["that is too many (429)", { status: 429, text: "", headers: { "retry-after": "9" } }, { kind: "later", seconds: 9 }],
  ])("%s goes on [DV-04, DV-05, DV-11]", async (_, token, expected) => expect(await poll(token)).toEqual(expected));
  it.each<[string, Override, string]>([
    ["is refused", oauthError("access_denied"), "LOGIN_DENIED"],
    ["comes after the code's end", oauthError("expired_token"), "DEVICE_CODE_EXPIRED"],
    ["is for a code that is none", oauthError("invalid_grant"), "DEVICE_CODE_EXPIRED"],
    ["meets a fault", { status: 500, text: "no" }, "ISSUER_UNREACHABLE"],
    ["meets a page", { text: "<html>" }, "ISSUER_UNREACHABLE"],
    ["is told to wait for no time", { status: 503, text: "", headers: { "retry-after": "0" } }, "ISSUER_UNREACHABLE"],
    ["is told to wait until a date", { status: 503, text: "", headers: { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" } }, "ISSUER_UNREACHABLE"],
  ])("that %s has its own name [DV-06, DV-10]", (_, token, code) => expect(poll(token)).rejects.toMatchObject({ code }));
});

describe("the device flow of the built program", () => {
  const device = "--grant-type=device-code";
  it.concurrent("an issuer that repeats the device code is not quoted, at any level of -v [DV-16]", () =>
    onStage(async ({ issuer, home, session }) => {
      issuer.become({
        device_authorization: changeJson({ interval: 1 }),
        token: (request) => ({ status: 400, json: { error: "access_denied", error_description: `no: ${request.form.get("device_code")}` } }),
      });
      const ended = await home.run(session(device));
      expect(ended).toMatchObject({ status: 20, stdout: "" });
      expect(errorCode(ended)).toBe("LOGIN_DENIED");
      const code = issuer.received("token")[0]?.form.get("device_code") ?? "none";
      expect(ended.stderr).not.toContain(code);
    }));
  it.concurrent.each([{}, { "retry-after": "1" }])(
    "keys that cannot be had when the tokens came, headers %j: the answer is kept and judged later, the spent code is not sent again [DV-10, DV-11, RT-04]",
    (headers) =>
      onStage(async ({ issuer, home, session, refresh }) => {
        issuer.become({ device_authorization: changeJson({ interval: 1, expires_in: 20 }), jwks: { status: 503, text: "", headers: { ...headers } } });
        const ended = await home.run(session(device));
        expect(ended).toMatchObject({ status: 30, stdout: "" });
        expect(errorCode(ended)).toBe("ISSUER_UNREACHABLE");
        expect(issuer.count("token")).toBe(1);
        issuer.become({});
        credentialOf(await refresh(device));
      }),
  );
  it.concurrent("an expired code starts no other login by itself [DV-06, DV-12]", () =>
    onStage(async ({ issuer, home, session }) => {
      issuer.become({ device_authorization: changeJson({ interval: 1 }), token: oauthError("expired_token") });
      const ended = await home.run(session(device));
      expect(ended).toMatchObject({ status: 20, stdout: "" });
      expect(errorCode(ended)).toBe("DEVICE_CODE_EXPIRED");
      expect([issuer.count("device_authorization"), issuer.count("token")]).toEqual([1, 1]);
    }));
});
