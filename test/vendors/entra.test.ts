import { describe, expect, it } from "vitest";
import { errorCode } from "../e2e/program.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import { firstThese, onlyFor } from "../issuer/misbehaviours.ts";
import { aadsts, ann, entra, groups, idTokenByScope, overage, tenant } from "../issuer/vendors/entra.ts";
import { discoveryOf } from "../issuer/vendors/vendor-issuer.ts";
import { claimsOf, onVendor, tokenOf } from "./vendor-stage.ts";

/** What the preset asks for. */
const asked = "--oidc-extra-scope=email,profile";

describe("Entra ID", { timeout: 60_000 }, () => {
  it.concurrent("does not list PKCE, which is used all the same, and gives offline_access without a consent page", () =>
    onVendor(entra, async ({ issuer, logIn, refresh, doctor }) => {
      const login = await logIn(asked);
      const query = new URL(login.url).searchParams;
      expect(Object.fromEntries(query)).toMatchObject({ code_challenge_method: "S256", scope: "openid email profile offline_access" });
      expect(query.get("prompt")).toBeNull();
      expect(claimsOf(login)).toMatchObject({ iss: issuer.issuer, tid: tenant });
      expect(issuer.issuer).toMatch(/\/v2\.0$/);
      expect(claimsOf(await refresh(asked))["sub"]).toBe(ann.sub);
      expect((await doctor())["D-05"]?.detail).toContain("PKCE S256 (not listed)");
    }));

  it.concurrent("leaves openid and offline_access out of the scope that it names as granted: nobody is told that they are missing", () =>
    onVendor(entra, async ({ logIn }) => expect((await logIn(asked)).stderr).not.toContain("granted less")));

  it.concurrent("that gives an ID token only to who names openid in the refresh is asked once more, so", () =>
    onVendor(entra, async ({ issuer, logIn, refresh }) => {
      tokenOf(await logIn("--oidc-extra-scope=email"));
      issuer.become(idTokenByScope);
      for (let i = 0; i < 2; i++) tokenOf(await refresh("--oidc-extra-scope=email"));
      const sent = issuer.received("token", "refresh_token").map(({ form }) => form.get("scope"));
      expect(sent).toEqual([null, "openid email offline_access", null, "openid email offline_access"]);
      // Each was spent once: the second request had what the first brought.
      expect(new Set(issuer.received("token", "refresh_token").map(({ form }) => form.get("refresh_token"))).size).toBe(4);
    }));

  it.concurrent("that gives none at all says so; the session stays, and nobody is logged out", () =>
    onVendor(entra, async ({ issuer, logIn, refresh }) => {
      tokenOf(await logIn());
      issuer.become({ idToken: "missing" });
      const ended = await refresh();
      expect([ended.status, ended.stdout, errorCode(ended)]).toEqual([30, "", "ID_TOKEN_MISSING"]);
      issuer.become({ token: onlyFor("refresh_token", (request, _nth, proper) => (request.form.has("scope") ? oauthError("invalid_scope") : proper())), idToken: "missing" });
      expect(errorCode(await refresh())).toBe("ID_TOKEN_MISSING");
      issuer.become({});
      tokenOf(await refresh());
    }));

  it.concurrent("whose session ends at the second question is logged out, as after the first", () =>
    onVendor(entra, async ({ issuer, logIn, refresh }) => {
      tokenOf(await logIn());
      const byScope = idTokenByScope.token;
      issuer.become({
        token: (request, nth, proper) =>
          request.form.has("scope")
            ? aadsts("invalid_grant", 700082, "The refresh token has expired due to inactivity.")
            : typeof byScope === "function"
              ? byScope(request, nth, proper)
              : proper(),
      });
      expect(errorCode(await refresh())).toBe("SESSION_REVOKED");
      issuer.become({});
      expect(errorCode(await refresh())).toBe("LOGIN_REQUIRED");
    }));

  it.concurrent("with more groups than fit into a token: doctor fails and setup warns", () =>
    onVendor(entra, async ({ issuer, logIn, doctor, setUp }) => {
      issuer.become(overage);
      tokenOf(await logIn("--id-token-cache=disk", asked));
      expect((await doctor(asked))["D-09"]).toMatchObject({ status: "fail", detail: expect.stringContaining("overage") });
      expect((await setUp("--preset=entra")).stderr).toContain("does not hold the groups but says where to ask for them");
    }));

  it.concurrent("is set up with oid as user name and the IDs of groups", () =>
    onVendor(entra, async ({ logIn, setUp }) => {
      tokenOf(await logIn("--id-token-cache=disk", asked));
      const plan = await setUp();
      expect(plan.stderr).toContain("(Microsoft Entra ID)");
      expect(plan.stderr).not.toContain("may refuse a public client");
      expect(plan.stdout).toMatch(/username:\s+claim: oid/);
      expect(plan.stdout).toContain(groups[0]);
    }));

  it.concurrent("of no tenant (common) names a pattern for an issuer: the tenant's ID is asked for, and the pattern is no cure", () =>
    onVendor({ ...entra, path: "/common/v2.0" }, async ({ issuer, home, session }) => {
      issuer.become({ discovery: { json: { ...discoveryOf(entra, issuer.issuer), issuer: issuer.issuer.replace("common", "{tenantid}") } } });
      const ended = await home.run(session());
      expect(errorCode(ended)).toBe("ISSUER_MISMATCH");
      expect(ended.stderr).toContain("by its ID");
      expect(ended.stderr).not.toContain("--oidc-issuer-url=http");
    }));

  it.concurrent("of version 1 has another issuer, which the tokens name too", () =>
    onVendor(entra, async ({ issuer, logIn }) => {
      issuer.become({ idToken: () => ({ alg: "RS256", claims: { ...entra.claims, iss: `https://sts.windows.net/${tenant}/`, ver: "1.0" } }) });
      expect(errorCode(await logIn())).toBe("ID_TOKEN_INVALID");
    }));

  it.concurrent("shows a device code without a complete URL, and its declined one is a no", () =>
    onVendor(entra, async ({ issuer, home, session }) => {
      const args = session("--grant-type=device-code");
      issuer.become({ token: firstThese(oauthError("authorization_pending")) });
      const ended = await home.run(args);
      tokenOf(ended);
      expect(ended.stderr).not.toContain("check that");
      issuer.become({ token: oauthError("authorization_declined", "AADSTS70000: declined") });
      expect(errorCode(await home.run([...args, "--account=bob@example.com"]))).toBe("LOGIN_DENIED");
    }));

  it.concurrent("asks for the person again by a conditional access policy: that is a login, with its words on one line", () =>
    onVendor(entra, async ({ issuer, logIn, refresh }) => {
      tokenOf(await logIn());
      issuer.become({
        token: onlyFor("refresh_token", aadsts("interaction_required", 50076, "You must use multi-factor authentication.", { suberror: "basic_action", claims: "{}" })),
      });
      const ended = await refresh();
      expect(errorCode(ended)).toBe("SESSION_REVOKED");
      expect(ended.stderr).toMatch(/the issuer ended the session: interaction_required: AADSTS50076: You must use multi-factor authentication\. Trace ID/);
    }));

  it.concurrent.each([
    ["invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.", "CLIENT_REJECTED"],
    ["invalid_request", 9002327, "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.", "CLIENT_REJECTED"],
    ["invalid_grant", 65001, "The user or administrator has not consented to use the application.", "LOGIN_DENIED"],
  ])("%s at the login (AADSTS%d) is told with its number", (error, number, words, code) =>
    onVendor(entra, async ({ issuer, logIn }) => {
      issuer.become({ token: { ...aadsts(error, number, words), status: error === "invalid_client" ? 401 : 400 } });
      const ended = await logIn();
      expect(errorCode(ended)).toBe(code);
      expect(ended.stderr).toContain(`AADSTS${number}: ${words.slice(0, 20)}`);
      expect(ended.stderr.split("\n").filter((line) => line.startsWith("kubectl-oidc: cause:"))).toHaveLength(1);
    }),
  );

  it.concurrent("cannot revoke: a logout says that it is one here only, and offers the browser's", () =>
    onVendor(entra, async ({ logIn, run }) => {
      tokenOf(await logIn());
      const ended = await run("logout", "--sso");
      expect([ended.status, ended.stderr]).toEqual([0, expect.stringContaining("offers no revocation")]);
      expect(ended.stderr).toContain(`/${tenant}/oauth2/v2.0/logout?client_id=kubernetes&logout_hint=ann%40example.com`);
    }));
});
