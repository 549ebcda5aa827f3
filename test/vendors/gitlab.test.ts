import { describe, expect, it } from "vitest";
import { errorCode } from "../e2e/program.ts";
import { gitlab, olderGitlab, signedInAt } from "../issuer/vendors/gitlab.ts";
import { claimsOf, onVendor, tokenOf } from "./vendor-stage.ts";

const asked = "--oidc-extra-scope=email,profile";
const signedIn = (at: number, more: Readonly<Record<string, unknown>> = {}) => ({
  idToken: () => ({ alg: "RS256" as const, claims: { ...gitlab.claims, auth_time: at, ...more } }),
});

describe("GitLab", { timeout: 60_000 }, () => {
  it.concurrent("gives a refresh token without offline_access, and a token of two minutes that is refreshed again and again", () =>
    onVendor(gitlab, async ({ issuer, logIn, refresh }) => {
      const login = await logIn(asked);
      const query = new URL(login.url).searchParams;
      expect([query.get("scope"), query.get("prompt")]).toEqual(["openid email profile", null]);
      tokenOf(login);
      for (let i = 0; i < 3; i++) tokenOf(await refresh(asked));
      expect(new Set(issuer.received("token", "refresh_token").map(({ form }) => form.get("refresh_token"))).size).toBe(3);
    }));

  it.concurrent("whose person signs in there anew is refreshed all the same, though auth_time has moved", () =>
    onVendor(gitlab, async ({ issuer, logIn, refresh }) => {
      tokenOf(await logIn());
      for (const days of [1, 2]) {
        issuer.become(signedIn(signedInAt + days * 86_400));
        expect(claimsOf(await refresh())["auth_time"]).toBe(signedInAt + days * 86_400);
      }
      // Back in time, or into the future, nobody signs in.
      for (const at of [signedInAt - 1, Math.floor(Date.now() / 1000) + 3_600]) {
        issuer.become(signedIn(at));
        expect(errorCode(await refresh())).toBe("ID_TOKEN_INVALID");
      }
      // What does not come from a GitLab is held to OpenID Connect Core 12.2.
      issuer.become(signedIn(signedInAt + 86_400, { sub_legacy: undefined }));
      expect(errorCode(await refresh())).toBe("ID_TOKEN_INVALID");
    }));

  it.concurrent("does not say where it is asked for device codes, and is asked there", () =>
    onVendor(gitlab, async ({ issuer, home, session, doctor }) => {
      const ended = await home.run(session("--grant-type=device-code"));
      tokenOf(ended);
      expect(issuer.received("device_authorization").map(({ path }) => path)).toEqual(["/oauth/authorize_device"]);
      expect((await doctor())["D-05"]?.detail).toContain("has device login");
    }));

  it.concurrent("of before 17.2 has no device codes", () =>
    onVendor(olderGitlab, async ({ home, session }) => expect(errorCode(await home.run(session("--grant-type=device-code")))).toBe("GRANT_UNSUPPORTED")));

  it.concurrent("sends the groups of the person as groups_direct: doctor and setup say so", () =>
    onVendor(gitlab, async ({ logIn, doctor, setUp }) => {
      await logIn("--id-token-cache=disk", asked);
      expect((await doctor(asked))["D-09"]?.detail).toContain("2 groups in the claim groups_direct, which the API server must be told");
      const plan = await setUp("--preset=gitlab");
      expect(plan.stdout).toMatch(/groups:\s+claim: groups_direct/);
      expect(plan.stdout).toContain("oidc:platform/kubernetes");
      expect(plan.stdout).toMatch(/username:\s+claim: email/);
    }));

  it.concurrent("refuses a client without secret whose application is confidential", () =>
    onVendor(gitlab, async ({ issuer, logIn }) => {
      issuer.become({
        token: {
          status: 401,
          json: {
            error: "invalid_client",
            error_description: "Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method.",
          },
        },
      });
      const ended = await logIn();
      expect(errorCode(ended)).toBe("CLIENT_REJECTED");
      expect(ended.stderr).toContain("Client authentication failed");
    }));

  it.concurrent("ends the session at a logout: it is revoked there", () =>
    onVendor(gitlab, async ({ issuer, logIn, run }) => {
      tokenOf(await logIn());
      expect((await run("logout")).stderr).toContain("revoked");
      expect(issuer.received("revocation")[0]?.path).toBe("/oauth/revoke");
    }));
});
