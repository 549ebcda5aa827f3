import { describe, expect, it } from "vitest";
import { browse, errorCode, openUrl } from "../e2e/program.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import { changeRedirect, onlyFor } from "../issuer/misbehaviours.ts";
import { oktaCustom, oktaOrg, rotationWithGrace, withoutOfflineRule } from "../issuer/vendors/okta.ts";
import { onVendor, tokenOf } from "./vendor-stage.ts";

const refusal = (error: string, error_description: string) => ({ authorization: changeRedirect({ code: undefined, iss: undefined, error, error_description }) });

describe("Okta", { timeout: 60_000 }, () => {
  it.concurrent.each([
    ["the org's own server knows the scope groups", oktaOrg, "email groups profile"],
    ["a custom server does not, and is not asked for it", oktaCustom, "email profile"],
  ])("%s: setup takes the scopes that it lists", (_, vendor, scopes) =>
    onVendor(vendor, async ({ logIn, setUp }) => {
      tokenOf(await logIn("--id-token-cache=disk", `--oidc-extra-scope=${scopes.replaceAll(" ", ",")}`));
      const plan = await setUp("--preset=okta");
      expect(plan.status, plan.stderr).toBe(0);
      expect([...plan.stdout.matchAll(/--oidc-extra-scope=(\w+)/g)].map(([, scope]) => scope).join(" ")).toContain(scopes);
    }),
  );

  it.concurrent("whose access policy has no rule for offline_access is asked once more without it", () =>
    onVendor(oktaCustom, async ({ issuer, home, session }) => {
      issuer.become(withoutOfflineRule);
      const started = home.start(session());
      const [, first = ""] = await started.sees(openUrl);
      await browse(first);
      const [, second = ""] = await started.sees(/without it[\s\S]*open this URL in your browser: (\S+)/);
      await browse(second);
      tokenOf(await started.ended);
      expect(new URL(second).searchParams.get("scope")).toBe("openid");
    }));

  it.concurrent("whose access policy lets nobody in says so after the second try, as one failed login", () =>
    onVendor(oktaCustom, async ({ issuer, home, session }) => {
      issuer.become(refusal("access_denied", "Policy evaluation failed for this request, please check the policy configurations."));
      const started = home.start(session());
      const [, first = ""] = await started.sees(openUrl);
      await browse(first);
      const [, second = ""] = await started.sees(/without it[\s\S]*open this URL in your browser: (\S+)/);
      await browse(second);
      const ended = await started.ended;
      expect(errorCode(ended)).toBe("LOGIN_DENIED");
      expect(ended.stderr).toContain("Policy evaluation failed");
    }));

  it.concurrent("that says no for another reason is not asked again", () =>
    onVendor(oktaOrg, async ({ issuer, logIn }) => {
      issuer.become(refusal("access_denied", "User is not assigned to the client application."));
      const ended = await logIn();
      expect(errorCode(ended)).toBe("LOGIN_DENIED");
      expect(issuer.count("authorization")).toBe(1);
    }));

  it.concurrent("rotates with a grace period: a refresh whose answer was lost is repeated at once, and no login is needed", () =>
    onVendor(oktaOrg, async ({ issuer, logIn, refresh }) => {
      const rotation = rotationWithGrace();
      issuer.become(rotation);
      tokenOf(await logIn());
      for (let i = 0; i < 2; i++) tokenOf(await refresh());
      rotation.loseAnswer();
      tokenOf(await refresh());
      tokenOf(await refresh());
      const sent = issuer.received("token", "refresh_token");
      expect(sent).toHaveLength(5);
      expect(issuer.count("authorization")).toBe(1);
    }));

  it.concurrent("that refuses a spent refresh token asks for a login", () =>
    onVendor(oktaOrg, async ({ issuer, logIn, refresh }) => {
      tokenOf(await logIn());
      issuer.become({ token: onlyFor("refresh_token", oauthError("invalid_grant", "The refresh token is invalid or expired.")) });
      expect(errorCode(await refresh())).toBe("SESSION_REVOKED");
      expect(errorCode(await refresh())).toBe("LOGIN_REQUIRED");
    }));

  it.concurrent("that refuses a person since the login (not assigned any more) is no reason to log in again", () =>
    onVendor(oktaOrg, async ({ issuer, logIn, refresh }) => {
      tokenOf(await logIn());
      issuer.become({ token: onlyFor("refresh_token", oauthError("access_denied", "User is not assigned to the client application.")) });
      expect(errorCode(await refresh())).toBe("CLIENT_REJECTED");
      issuer.become({});
      tokenOf(await refresh());
    }));

  it.concurrent("that is busy answers in words of its own, with 429: the session stays", () =>
    onVendor(oktaOrg, async ({ issuer, logIn, refresh }) => {
      tokenOf(await logIn());
      issuer.become({
        token: { status: 429, headers: { "x-rate-limit-reset": "1" }, json: { errorCode: "E0000047", errorSummary: "API call exceeded rate limit due to too many requests." } },
      });
      const ended = await refresh();
      expect(errorCode(ended)).toBe("ISSUER_UNREACHABLE");
      expect(ended.stderr).toContain("HTTP 429");
      issuer.become({});
      tokenOf(await refresh());
    }));

  it.concurrent("does not know a scope that nobody made", () =>
    onVendor(oktaCustom, async ({ issuer, logIn }) => {
      issuer.become(refusal("invalid_scope", "One or more scopes are not configured for the authorization server resource."));
      expect(errorCode(await logIn("--oidc-extra-scope=groups,offline_access"))).toBe("SCOPE_REJECTED");
    }));

  it.concurrent("behind a domain of its own calls itself so: the issuer is the one that its document names", () =>
    onVendor(oktaOrg, async ({ issuer, run }) => {
      issuer.become({
        discovery: {
          json: { issuer: "https://company.okta.com", token_endpoint: "https://company.okta.com/oauth2/v1/token", jwks_uri: "https://company.okta.com/oauth2/v1/keys" },
        },
      });
      const login = await run("get-token");
      expect(errorCode(login)).toBe("ISSUER_MISMATCH");
      expect(login.stderr).toContain("use --oidc-issuer-url=https://company.okta.com");
    }));
});
