import { describe, expect, it } from "vitest";
import { presetOf } from "../../src/core/presets.ts";
import { errorCode } from "../e2e/program.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import { firstThese, onlyFor } from "../issuer/misbehaviours.ts";
import { google, pending, slowDown } from "../issuer/vendors/google.ts";
import { confidants, onVendor, routesByHost, secretFile, tokenOf } from "./vendor-stage.ts";

// That access_type=offline is sent to nobody else: test/app/flows.test.ts.
describe("Google", { timeout: 60_000 }, () => {
  it.concurrent("gives one refresh token at a consent, and no other at a refresh", () =>
    onVendor(google, async (stage) => {
      const { issuer, logIn, refresh } = stage;
      const args = [secretFile(stage), "--oidc-extra-scope=email", `--prompt=${presetOf("google").prompt}`];
      const login = await logIn(...args);
      tokenOf(login);
      expect(Object.fromEntries(new URL(login.url).searchParams)).toMatchObject({ scope: "openid email", prompt: "consent", access_type: "offline" });
      for (let i = 0; i < 2; i++) tokenOf(await refresh(...args));
      expect(new Set(issuer.received("token", "refresh_token").map(({ form }) => form.get("refresh_token"))).size).toBe(1);
      // It names what it granted in words of its own.
      expect(login.stderr).not.toContain("granted less");
    }));

  it.concurrent("without a consent gives none: the login is good, and that it ends is said", () =>
    onVendor(google, async (stage) => {
      stage.issuer.become({ refreshTokens: "none" });
      const login = await stage.logIn(secretFile(stage));
      tokenOf(login);
      expect(login.stderr).toContain("the issuer gave no refresh token");
    }));

  it.concurrent("wants the secret that no installed program can keep, and setup asks for it", () =>
    onVendor(google, async (stage) => {
      const login = await stage.logIn();
      expect(errorCode(login)).toBe("CLIENT_REJECTED");
      expect(login.stderr).toContain("client_secret is missing");
      const without = await stage.setUp();
      expect([without.status, errorCode(without)]).toEqual([40, "SETTINGS_INCOMPLETE"]);
      expect(without.stderr).toContain("Google takes no client without its secret, and none was given");
      expect(without.stderr).toContain("add --oidc-client-secret-file=FILE with the client secret in it");
      expect(stage.issuer.count("authorization")).toBe(1);
    }));

  it.concurrent("is set up with the file of the secret, a consent, and no groups", () =>
    onVendor(google, async (stage) => {
      const secret = secretFile(stage);
      tokenOf(await stage.logIn(secret, "--id-token-cache=disk", "--oidc-extra-scope=email"));
      const plan = await stage.setUp(secret);
      expect(plan.status, plan.stderr).toBe(0);
      expect(plan.stderr).toContain("(Google)");
      for (const written of [secret, "--prompt=consent", "--oidc-extra-scope=email"]) expect(plan.stdout).toContain(written);
      expect(plan.stdout).toMatch(/username:\s+claim: email/);
      expect(plan.stdout).not.toMatch(/groups:\s+claim/);
    }));

  it.concurrent("lies at several hosts: each hears what is meant for it, and one alone what is secret", () =>
    onVendor(google, async (stage) => {
      const { issuer } = stage;
      const args = [secretFile(stage), "--oidc-extra-scope=email", "--oidc-request-header=X-Gate=company"];
      tokenOf(await stage.logIn(...args));
      tokenOf(await stage.refresh(...args));
      expect((await stage.run("logout", ...args)).stderr).toContain("revoked");
      expect(routesByHost(issuer)).toEqual({
        "accounts.google.com": ["authorization", "discovery"],
        "oauth2.googleapis.com": ["revocation", "token"],
        "www.googleapis.com": ["jwks"],
      });
      expect(issuer.asked()).toEqual(["accounts.google.com:443", "oauth2.googleapis.com:443", "www.googleapis.com:443"]);
      expect(confidants(issuer)).toEqual(["oauth2.googleapis.com"]);
      const gated = issuer.requests.filter(({ headers }) => headers["x-gate"] !== undefined);
      expect(new Set(gated.map(({ headers }) => headers.host))).toEqual(new Set(["accounts.google.com"]));
    }));

  it.concurrent("shows where to enter a device code in a word of its own, and answers polls with 428 and 403", () =>
    onVendor(google, async (stage) => {
      const { issuer, home, session } = stage;
      issuer.become({ token: firstThese(pending, pending) });
      const ended = await home.run(session(secretFile(stage), "--grant-type=device-code"));
      tokenOf(ended);
      expect(ended.stderr).toContain("open https://www.google.com/device and enter the code");
    }));

  it.concurrent("that is asked for a device too often slows the polls down, and a no is a no", () =>
    onVendor(google, async (stage) => {
      const { issuer, home, session } = stage;
      issuer.become({ token: firstThese(slowDown, { status: 403, json: { error: "access_denied", error_description: "Forbidden" } }) });
      const ended = await home.run(session(secretFile(stage), "--grant-type=device-code"));
      expect(errorCode(ended)).toBe("LOGIN_DENIED");
      expect(issuer.count("token")).toBe(2);
    }));

  it.concurrent("asks for the person again by a Workspace's session length: that is a login", () =>
    onVendor(google, async (stage) => {
      const secret = secretFile(stage);
      tokenOf(await stage.logIn(secret));
      const gone = oauthError("invalid_grant", "reauth related error (invalid_rapt)");
      stage.issuer.become({
        token: onlyFor("refresh_token", { ...gone, json: { ...(gone.json as object), error_subtype: "invalid_rapt", error_uri: "https://support.google.com/a/answer/9368756" } }),
      });
      expect(errorCode(await stage.refresh(secret))).toBe("SESSION_REVOKED");
      expect(errorCode(await stage.refresh(secret))).toBe("LOGIN_REQUIRED");
    }));

  it.concurrent("revokes at a logout, and has no page for the browser's", () =>
    onVendor(google, async (stage) => {
      const secret = secretFile(stage);
      tokenOf(await stage.logIn(secret));
      const ended = await stage.run("logout", "--sso", secret);
      expect(ended.stderr).toContain("revoked");
      expect(ended.stderr).toContain("offers no logout page");
      expect(stage.issuer.received("revocation")[0]?.form.get("token_type_hint")).toBe("refresh_token");
    }));

  it.concurrent("holds no groups: doctor says so", () =>
    onVendor(google, async (stage) => {
      const secret = secretFile(stage);
      tokenOf(await stage.logIn(secret, "--id-token-cache=disk"));
      expect((await stage.doctor(secret))["D-09"]?.detail).toContain("the token holds no groups");
    }));
});
