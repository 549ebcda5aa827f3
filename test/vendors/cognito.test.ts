import { describe, expect, it } from "vitest";
import { errorCode } from "../e2e/program.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import { cognito, olderCognito } from "../issuer/vendors/cognito.ts";
import { confidants, onVendor, routesByHost, tokenOf } from "./vendor-stage.ts";

const page = /end the browser's session here: (\S+)/;

describe("Amazon Cognito", { timeout: 60_000 }, () => {
  it.concurrent("is asked for no offline_access, lists no PKCE, and keeps its refresh token through every refresh", () =>
    onVendor(cognito, async ({ issuer, logIn, refresh }) => {
      const login = await logIn("--oidc-extra-scope=email");
      expect(Object.fromEntries(new URL(login.url).searchParams)).toMatchObject({ scope: "openid email", code_challenge_method: "S256" });
      tokenOf(login);
      for (let i = 0; i < 3; i++) tokenOf(await refresh("--oidc-extra-scope=email"));
      expect(new Set(issuer.received("token", "refresh_token").map(({ form }) => form.get("refresh_token"))).size).toBe(1);
    }));

  it.concurrent("may rotate: then each refresh token is used once", () =>
    onVendor(cognito, async ({ issuer, logIn, refresh }) => {
      issuer.become({ refreshTokens: "rotate" });
      tokenOf(await logIn());
      for (let i = 0; i < 3; i++) tokenOf(await refresh());
      expect(new Set(issuer.received("token", "refresh_token").map(({ form }) => form.get("refresh_token"))).size).toBe(3);
    }));

  it.concurrent("is told by its user pool, and is set up with its own claim of groups", () =>
    onVendor(cognito, async ({ logIn, doctor, setUp }) => {
      tokenOf(await logIn("--id-token-cache=disk", "--oidc-extra-scope=email"));
      expect((await doctor("--oidc-extra-scope=email"))["D-09"]?.detail).toContain("1 group in the claim cognito:groups");
      const plan = await setUp();
      expect(plan.stderr).toContain("(Amazon Cognito)");
      expect(plan.stdout).toMatch(/claim: "?cognito:groups/);
      expect(plan.stdout).toContain("oidc:platform");
      expect(plan.stdout).toContain("--oidc-extra-scope=email");
    }));

  it.concurrent("knows its people by a user name of its own: --account may be that, or the address", () =>
    onVendor(cognito, async ({ logIn }) => {
      tokenOf(await logIn("--account=ann"));
      tokenOf(await logIn("--account=ann@example.com"));
      expect(errorCode(await logIn("--account=bob"))).toBe("ACCOUNT_MISMATCH");
    }));

  it.concurrent("has a logout page of its own kind, which gets what it demands, and never a token", () =>
    onVendor(cognito, async ({ issuer, logIn, run }) => {
      tokenOf(await logIn());
      const ended = await run("logout", "--sso");
      expect(ended.stderr).toContain("revoked");
      const url = page.exec(ended.stderr)?.[1] ?? "";
      expect((await issuer.visit(url)).headers.get("location")).toBe("http://localhost:8000");
      expect([...new URL(url).searchParams.keys()].sort()).toEqual(["client_id", "redirect_uri", "response_type", "scope"]);
      expect(issuer.received("end_session")).toHaveLength(1);
    }));

  it.concurrent("lies at two hosts: the user pool's hears no secret, and the domain's nothing else", () =>
    onVendor(cognito, async ({ issuer, logIn, refresh, run }) => {
      tokenOf(await logIn());
      tokenOf(await refresh());
      const ended = await run("logout", "--sso");
      await issuer.visit(page.exec(ended.stderr)?.[1] ?? "");
      expect(routesByHost(issuer)).toEqual({
        "cognito-idp.eu-west-1.amazonaws.com": ["discovery", "jwks"],
        "example.auth.eu-west-1.amazoncognito.com": ["authorization", "end_session", "revocation", "token"],
      });
      expect(issuer.asked()).toEqual(["cognito-idp.eu-west-1.amazonaws.com:443", "example.auth.eu-west-1.amazoncognito.com:443"]);
      expect(confidants(issuer)).toEqual(["example.auth.eu-west-1.amazoncognito.com"]);
    }));

  it.concurrent("without a revocation endpoint in its document is logged out of here only, and that is said", () =>
    onVendor(olderCognito, async ({ logIn, run }) => {
      tokenOf(await logIn());
      const ended = await run("logout", "--sso");
      expect([ended.status, ended.stderr]).toEqual([0, expect.stringContaining("offers no revocation")]);
      expect(ended.stderr).toContain("offers no logout page");
    }));

  it.concurrent("whose client has revocation switched off is logged out of here, with its words", () =>
    onVendor(cognito, async ({ issuer, logIn, run }) => {
      tokenOf(await logIn());
      issuer.become({ revocation: oauthError("unsupported_token_type", "Token revocation is not enabled for this client") });
      const ended = await run("logout");
      expect([ended.status, ended.stderr]).toEqual([0, expect.stringContaining("not enabled for this client")]);
    }));

  it.concurrent("has no device codes", () =>
    onVendor(cognito, async ({ home, session }) => expect(errorCode(await home.run(session("--grant-type=device-code")))).toBe("GRANT_UNSUPPORTED")));

  it.concurrent("refuses a scope that the app client does not have", () =>
    onVendor(cognito, async ({ issuer, logIn }) => {
      issuer.become({
        authorization: (request) => ({
          status: 302,
          headers: { location: `${request.query.get("redirect_uri")}?error=invalid_request&error_description=invalid_scope&state=${request.query.get("state")}` },
        }),
      });
      const ended = await logIn("--oidc-extra-scope=email");
      expect(errorCode(ended)).toBe("CLIENT_REJECTED");
      expect(ended.stderr).toContain("invalid_scope");
    }));
});
