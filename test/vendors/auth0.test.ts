import { describe, expect, it } from "vitest";
import { errorCode } from "../e2e/program.ts";
import { type Answer, oauthError } from "../issuer/issuer-answer.ts";
import { firstThese, onlyFor } from "../issuer/misbehaviours.ts";
import { auth0, groupsClaim, hs256, pending, slowDown } from "../issuer/vendors/auth0.ts";
import { claimsOf, onVendor, tokenOf } from "./vendor-stage.ts";

describe("Auth0", { timeout: 60_000 }, () => {
  it.concurrent("calls itself with a slash at the end: without it nothing is believed, and the cure has it", () =>
    onVendor(auth0, async ({ issuer, home, session, logIn, refresh }) => {
      expect(issuer.issuer).toMatch(/\/$/);
      expect(claimsOf(await logIn())["iss"]).toBe(issuer.issuer);
      tokenOf(await refresh());
      const bare = issuer.issuer.replace(/\/$/, "");
      const ended = await home.run(session().map((arg) => (arg.startsWith("--oidc-issuer-url") ? `--oidc-issuer-url=${bare}` : arg)));
      expect(errorCode(ended)).toBe("ISSUER_MISMATCH");
      expect(ended.stderr).toContain(`use --oidc-issuer-url=${issuer.issuer}\n`);
    }));

  it.concurrent("gives an access token that nobody can read unless an API is asked for by audience, which is an extra parameter", () =>
    onVendor(auth0, async ({ logIn }) => {
      const opaque = await logIn("--oidc-use-access-token");
      expect(errorCode(opaque)).toBe("ID_TOKEN_MISSING");
      expect(opaque.stderr).toContain("not a JWT");
      const asked = await logIn("--oidc-use-access-token", "--oidc-auth-request-extra-params=audience=https://k8s.example.com");
      expect(new URL(asked.url).searchParams.get("audience")).toBe("https://k8s.example.com");
      tokenOf(asked);
    }));

  it.concurrent("sends groups under a URL: doctor and setup find them", () =>
    onVendor(auth0, async ({ logIn, doctor, setUp }) => {
      tokenOf(await logIn("--id-token-cache=disk", "--oidc-extra-scope=email,profile"));
      expect((await doctor("--oidc-extra-scope=email,profile"))["D-09"]?.detail).toContain(`in the claim ${groupsClaim}`);
      const plan = await setUp("--preset=auth0");
      expect(plan.stdout).toMatch(/groups:\s+claim: "?https:\/\/example\.com\/groups/);
      expect(plan.stdout).toContain("oidc:platform");
    }));

  it.concurrent("signs with the client's secret when it is told to: that is refused", () =>
    onVendor(auth0, async ({ issuer, logIn }) => {
      issuer.become(hs256);
      expect(errorCode(await logIn())).toBe("ID_TOKEN_INVALID");
    }));

  it.concurrent("answers the polls for a device with 403 and 429", () =>
    onVendor(auth0, async ({ issuer, home, session }) => {
      issuer.become({ token: firstThese(pending, slowDown) });
      tokenOf(await home.run(session("--grant-type=device-code")));
      expect(issuer.count("token")).toBe(3);
    }));

  it.concurrent("ends the whole family of a refresh token that is used twice", () =>
    onVendor(auth0, async ({ issuer, logIn, refresh }) => {
      tokenOf(await logIn());
      tokenOf(await refresh());
      const unknown: Answer = { ...oauthError("invalid_grant", "Unknown or invalid refresh token."), status: 403 };
      issuer.become({
        token: onlyFor("refresh_token", async (_request, _nth, proper) => {
          const answer = await proper();
          return answer.status === 400 ? unknown : answer;
        }),
      });
      // A thief has the spent one.
      const [spent] = issuer.received("token", "refresh_token");
      const stolen = await fetch(`${issuer.issuer}oauth/token`, { method: "POST", body: new URLSearchParams(spent?.body) });
      expect(stolen.status).toBe(403);
      expect(errorCode(await refresh())).toBe("SESSION_REVOKED");
      expect(errorCode(await refresh())).toBe("LOGIN_REQUIRED");
    }));

  it.concurrent("without the grant Refresh Token refuses the refresh: that is the administrator's to mend", () =>
    onVendor(auth0, async ({ issuer, logIn, refresh }) => {
      tokenOf(await logIn());
      issuer.become({ token: onlyFor("refresh_token", { ...oauthError("unauthorized_client", "Grant type 'refresh_token' not allowed for the client."), status: 403 }) });
      const ended = await refresh();
      expect(errorCode(ended)).toBe("CLIENT_REJECTED");
      expect(ended.stderr).toContain("not allowed for the client");
    }));

  it.concurrent("has no logout page unless it was switched on, and revokes", () =>
    onVendor(auth0, async ({ issuer, logIn, run }) => {
      tokenOf(await logIn());
      const ended = await run("logout", "--sso");
      expect(ended.stderr).toContain("revoked");
      expect(ended.stderr).toContain("offers no logout page");
      expect(issuer.received("revocation")[0]?.path).toBe("/oauth/revoke");
    }));
});
