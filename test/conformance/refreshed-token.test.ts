import { describe, expect, it } from "vitest";
import { credentialOf, errorCode } from "../e2e/program.ts";
import { type Answer, oauthError } from "../issuer/issuer-answer.ts";
import type { Behaviour } from "../issuer/misbehaving.ts";
import { changeJson, onlyFor } from "../issuer/misbehaviours.ts";
import { expectRefusal, type LyingStage, onStage } from "./lying-stage.ts";

type Claims = Readonly<Record<string, unknown>>;
const now = () => Math.floor(Date.now() / 1000);
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
const tokenOf = (ended: Parameters<typeof credentialOf>[0]) => credentialOf(ended).status.token;
/** The refresh tokens that were sent. */
const sent = ({ issuer }: LyingStage) => issuer.received("token", "refresh_token").map(({ form }) => form.get("refresh_token") ?? "");

it.concurrent("a refresh brings a new token of the same person, and its refresh token takes the old one's place [RF-01, RF-02, RP-30]", () =>
  onStage(async (stage) => {
    const first = tokenOf(await stage.logIn());
    const second = tokenOf(await stage.refresh());
    tokenOf(await stage.refresh());
    expect(second).not.toBe(first);
    expect(claimsOf(second)["sub"]).toBe(claimsOf(first)["sub"]);
    expect(new Set(sent(stage)).size).toBe(2);
  }));

describe("a refreshed ID token is compared with the login's", () => {
  const ago = now() - 1000;
  const cases: readonly (readonly [title: string, login: Claims, refreshed: Claims | (() => Claims), code: string])[] = [
    ["another auth_time is refused [RF-03]", { auth_time: ago }, { auth_time: ago + 500 }, "ID_TOKEN_INVALID"],
    ["the same auth_time is accepted, however old [RF-03]", { auth_time: ago }, { auth_time: ago }, "none"],
    ["an auth_time that the login's had and it has not is accepted [RF-03]", { auth_time: ago }, {}, "none"],
    ["an azp that the login's had not is refused [RF-03]", {}, { azp: "kubernetes" }, "ID_TOKEN_INVALID"],
    ["the same azp is accepted [RF-03]", { azp: "kubernetes" }, { azp: "kubernetes" }, "none"],
    ["an azp that the login's had and it has not is accepted [RF-03]", { azp: "kubernetes" }, {}, "none"],
    ["an issue time some seconds before the login's, by the clock of another node, is accepted [RF-03]", {}, () => ({ iat: now() - 10 }), "none"],
    ["an issue time that is fit for now, after a login under a clock that ran ahead, is accepted [RF-03]", { iat: now() + 250 }, {}, "none"],
  ];
  it.concurrent.each(cases)("%s", (_title, login, refreshed, code) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become({ idToken: { claims: login } });
      tokenOf(await logIn());
      issuer.become({ idToken: { claims: typeof refreshed === "function" ? refreshed() : refreshed } });
      const ended = await refresh();
      if (code === "none") tokenOf(ended);
      else expectRefusal(issuer, ended, code);
      // A fault of the issuer ends no session.
      issuer.become({ idToken: { claims: login } });
      tokenOf(await refresh());
    }),
  );

  it.concurrent("the login's own nonce is accepted, none too, another not, at each of many refreshes [RF-04]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      tokenOf(await logIn());
      const nonce = issuer.received("authorization")[0]?.query.get("nonce");
      expect(nonce).toMatch(/^[\w-]{43}$/);
      for (const [given, code] of [
        [nonce, "none"],
        [undefined, "none"],
        [`${nonce}1`, "ID_TOKEN_INVALID"],
        ["", "ID_TOKEN_INVALID"],
        [nonce, "none"],
      ]) {
        issuer.become({ idToken: { claims: { nonce: given } } });
        expect(errorCode(await refresh()), String(given)).toBe(code);
      }
    }));

  it.concurrent("a new login is a new comparison: its auth_time counts from there on [RF-03]", () =>
    onStage(async ({ issuer, session, home, logIn }) => {
      issuer.become({ idToken: { claims: { auth_time: ago } } });
      tokenOf(await logIn());
      const again = { idToken: { claims: { auth_time: ago + 900 } } };
      issuer.become({ ...again, token: onlyFor("refresh_token", oauthError("invalid_grant")) });
      tokenOf(await logIn());
      issuer.become(again);
      tokenOf(await home.run(session("--non-interactive")));
      expect(issuer.count("authorization")).toBe(2);
    }));
});

describe("a refresh answer", () => {
  const lacking = (...names: string[]): Behaviour => ({ token: onlyFor("refresh_token", changeJson(Object.fromEntries(names.map((name) => [name, undefined])))) });

  it.concurrent("without a refresh token keeps the one there is [RF-05]", () =>
    onStage(async (stage) => {
      tokenOf(await stage.logIn());
      stage.issuer.become({ refreshTokens: "keep" });
      for (let i = 0; i < 3; i++) tokenOf(await stage.refresh());
      expect(new Set(sent(stage)).size).toBe(1);
    }));

  it.concurrent.each([
    ["without an ID token is no credential; its refresh token is kept and used [ID-15, RF-05]", lacking("id_token")],
    ["with null for an ID token neither [ID-15]", { token: onlyFor("refresh_token", changeJson({ id_token: null })) }],
  ] as const)("%s", (_title, behaviour) =>
    onStage(async (stage) => {
      tokenOf(await stage.logIn());
      stage.issuer.become(behaviour);
      for (let i = 0; i < 2; i++) expectRefusal(stage.issuer, await stage.refresh(), "ID_TOKEN_MISSING");
      stage.issuer.become({});
      tokenOf(await stage.refresh());
      // Two for each refusal (the second asks with the scopes), and the good one.
      expect(new Set(sent(stage)).size, "each is spent once").toBe(5);
    }),
  );

  it.concurrent("with neither keeps the refresh token [ID-15, RF-05]", () =>
    onStage(async (stage) => {
      tokenOf(await stage.logIn());
      stage.issuer.become({ ...lacking("id_token"), refreshTokens: "keep" });
      expectRefusal(stage.issuer, await stage.refresh(), "ID_TOKEN_MISSING");
      stage.issuer.become({});
      tokenOf(await stage.refresh());
      expect(new Set(sent(stage)).size).toBe(1);
    }));

  it.concurrent.each(["access_token", "token_type"])("without %s stands in nobody's way: its refresh token is kept and used [RF-05]", (name) =>
    onStage(async (stage) => {
      tokenOf(await stage.logIn());
      stage.issuer.become(lacking(name));
      expectRefusal(stage.issuer, await stage.refresh(), "ISSUER_UNREACHABLE");
      stage.issuer.become({});
      tokenOf(await stage.refresh());
      expect(new Set(sent(stage)).size).toBe(2);
    }),
  );

  it.concurrent("that grants less says at -v1 what is missing, and is used [RF-06]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      const scopes = "--oidc-extra-scope=email,groups";
      const login = await logIn(scopes);
      expect(login.stderr).not.toContain("granted less");
      issuer.become({ token: onlyFor("refresh_token", changeJson({ scope: "openid email" })) });
      const narrowed = await refresh(scopes, "-v1");
      tokenOf(narrowed);
      expect(narrowed.stderr).toContain("the issuer granted less than was asked for; missing: groups\n");
      expect((await refresh(scopes, "-v0")).stderr).toBe("");
    }));
});

it.concurrent("a login that is granted less says at -v1 what is missing [RF-06]", () =>
  onStage(async ({ issuer, logIn }) => {
    issuer.become({ token: changeJson({ scope: "openid offline_access" }) });
    expect((await logIn("--oidc-extra-scope=groups")).stderr).toContain("missing: groups\n");
  }));

it.concurrent("while the cached token is good a refused refresh costs nothing: that token is given, never the refused one [RF-01, RF-03]", () =>
  onStage(async ({ issuer, logIn, refresh }) => {
    const cached = "--id-token-cache=disk";
    const first = tokenOf(await logIn(cached));
    issuer.become({ idToken: { key: "stranger" } });
    expect(tokenOf(await refresh(cached, "--force-refresh"))).toBe(first);
  }));

describe("an answer that could not be judged at once", () => {
  const keysAreAway: Answer = { status: 503, text: "" };

  it.concurrent("at a refresh is judged later, by its signature too; a forged one is not used then either [ID-06]", () =>
    onStage(async (stage) => {
      const { issuer, logIn, refresh } = stage;
      tokenOf(await logIn());
      issuer.become({ jwks: keysAreAway, idToken: { key: "stranger", header: { kid: "new" } } });
      expectRefusal(issuer, await refresh(), "ISSUER_UNREACHABLE");
      const before = issuer.count("token", "refresh_token");
      issuer.become({ token: { status: 503, text: "" } });
      // Judged, refused, and a new one asked for, which the issuer cannot give.
      expectRefusal(issuer, await refresh(), "ISSUER_UNREACHABLE");
      expect(issuer.count("token", "refresh_token")).toBe(before + 1);
      issuer.become({});
      tokenOf(await refresh());
    }));

  it.concurrent("at a login is judged later, and used when it is right [ID-06]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become({ jwks: keysAreAway });
      expectRefusal(issuer, await logIn(), "ISSUER_UNREACHABLE");
      issuer.become({});
      tokenOf(await refresh());
      expect(issuer.count("token", "refresh_token")).toBe(0);
      // What the login said is what later tokens are compared with.
      issuer.become({ idToken: { claims: { nonce: "another-nonce" } } });
      expectRefusal(issuer, await refresh("--force-refresh"), "ID_TOKEN_INVALID");
    }));

  it.concurrent.each([
    ["another nonce", { nonce: "another-nonce" }],
    ["no nonce", { nonce: undefined }],
  ])("at a login, with %s, does not wait: it is refused although no key is there [ID-11]", (_, claims) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become({ jwks: keysAreAway, idToken: { claims } });
      expectRefusal(issuer, await logIn(), "ID_TOKEN_INVALID");
      issuer.become({});
      expect(errorCode(await refresh())).toBe("LOGIN_REQUIRED");
    }),
  );
});
