import { describe, expect, it } from "vitest";
import { credentialOf, errorCode } from "../e2e/program.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import type { Behaviour, Override } from "../issuer/misbehaving.ts";
import { changeJson, onlyFor } from "../issuer/misbehaviours.ts";
import { onStage } from "./lying-stage.ts";

const atRefresh = (override: Override): Behaviour => ({ token: onlyFor("refresh_token", override) });

describe("a refresh answer", () => {
  const kept: readonly (readonly [title: string, behaviour: Behaviour])[] = [
    ["with a new refresh token: that one is used from then on [RT-02]", {}],
    ["without one: the old one stays [RT-08, RT-09]", { refreshTokens: "keep" }],
    ["with an empty one: the old one stays [RT-08]", { refreshTokens: "keep", ...atRefresh(changeJson({ refresh_token: "" })) }],
    ["with null in its place: the old one stays [RT-08]", { refreshTokens: "keep", ...atRefresh(changeJson({ refresh_token: null })) }],
    [
      "with the same one again: nothing changes [RT-09]",
      {
        refreshTokens: "keep",
        ...atRefresh(async (request, _nth, proper) => {
          const answer = await proper();
          return { ...answer, json: { ...(answer.json as object), refresh_token: request.form.get("refresh_token") } };
        }),
      },
    ],
  ];
  it.concurrent.each(kept)("%s", (_, behaviour) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      credentialOf(await logIn());
      issuer.become(behaviour);
      for (let i = 0; i < 3; i++) credentialOf(await refresh());
      const sent = issuer.received("token", "refresh_token").map(({ form }) => form.get("refresh_token"));
      expect(sent.length).toBe(3);
      // Never the one before: it is spent, and sending it again would end the session (RFC 9700, section 4.14.2).
      if (behaviour.refreshTokens === "keep") expect(new Set(sent).size).toBe(1);
      else expect(new Set(sent).size).toBe(3);
    }),
  );
});

describe("only the issuer's refusal means log in again", () => {
  const faults: readonly (readonly [title: string, answer: Override, code: string])[] = [
    ["status 500", { status: 500, text: "<h1>no</h1>" }, "ISSUER_UNREACHABLE"],
    ["status 503", { status: 503, text: "", headers: { "retry-after": "3" } }, "ISSUER_UNREACHABLE"],
    ["status 429", { status: 429, text: "" }, "ISSUER_UNREACHABLE"],
    ["status 500 with invalid_grant", { status: 500, json: { error: "invalid_grant" } }, "ISSUER_UNREACHABLE"],
    ["a page of the network", { text: "<html>Welcome" }, "ISSUER_UNREACHABLE"],
    ["a redirect", { status: 302, headers: { location: "https://elsewhere.example/" } }, "ISSUER_UNREACHABLE"],
    ["temporarily_unavailable", oauthError("temporarily_unavailable"), "ISSUER_UNREACHABLE"],
    ["server_error", oauthError("server_error"), "ISSUER_UNREACHABLE"],
    ["invalid_client", { status: 401, json: { error: "invalid_client" } }, "CLIENT_REJECTED"],
    ["invalid_scope", oauthError("invalid_scope"), "SCOPE_REJECTED"],
    ["invalid_request", { status: 400, json: { error: "invalid_request", error_description: "Refresh token is missing." } }, "CLIENT_REJECTED"],
    ["an error that nobody knows", oauthError("moon_phase"), "CLIENT_REJECTED"],
  ];
  it.concurrent.each(faults)("%s: the session stays, and the next refresh works [RT-11]", (_, answer, code) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      credentialOf(await logIn());
      issuer.become(atRefresh(answer));
      const ended = await refresh();
      expect(ended).toMatchObject({ status: 30, stdout: "" });
      expect(errorCode(ended)).toBe(code);
      expect(ended.stderr).not.toContain("open this URL");
      issuer.become({});
      credentialOf(await refresh());
    }),
  );

  it.concurrent.each(["invalid_grant", "login_required", "interaction_required"])("%s: the session is over, is not tried again, and says so [RT-11]", (error) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      credentialOf(await logIn());
      issuer.become(atRefresh(oauthError(error)));
      expect(errorCode(await refresh())).toBe("SESSION_REVOKED");
      expect(errorCode(await refresh())).toBe("LOGIN_REQUIRED");
      expect(issuer.count("token", "refresh_token")).toBe(1);
    }),
  );

  it.concurrent.each(["Refresh token is invalid or has already been claimed by another client.", "Refresh token expired."])("Dex, which says invalid_request: %s", (description) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      credentialOf(await logIn());
      issuer.become(atRefresh({ status: 400, json: { error: "invalid_request", error_description: description } }));
      expect(errorCode(await refresh())).toBe("SESSION_REVOKED");
      expect(errorCode(await refresh())).toBe("LOGIN_REQUIRED");
    }),
  );

  it.concurrent("somebody else's token: it is dropped, both refresh tokens are revoked, nothing is handed out [RT-04]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      credentialOf(await logIn());
      issuer.become({ idToken: { claims: { sub: "mallory" } } });
      const ended = await refresh();
      expect(ended).toMatchObject({ status: 20, stdout: "" });
      expect(errorCode(ended)).toBe("ACCOUNT_MISMATCH");
      expect(issuer.count("revocation")).toBeGreaterThanOrEqual(1);
      issuer.become({});
      expect(errorCode(await refresh())).toBe("LOGIN_REQUIRED");
    }));

  it.concurrent("an answer that is cut off once: the same token is sent once more, at once [RT-01]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      credentialOf(await logIn());
      let isFirst = true;
      issuer.become(
        atRefresh((_request, _nth, proper) => {
          if (!isFirst) return proper();
          isFirst = false;
          return { fate: "reset" };
        }),
      );
      credentialOf(await refresh());
      const sent = issuer.received("token", "refresh_token").map(({ form }) => form.get("refresh_token"));
      expect([sent.length, new Set(sent).size]).toEqual([2, 1]);
    }));
});
