import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { credentialOf, errorCode } from "../e2e/program.ts";
import type { Forgery } from "../issuer/issuer-keys.ts";
import { changeJson, onlyFor } from "../issuer/misbehaviours.ts";
import { expectRefusal, onStage } from "./lying-stage.ts";

const now = () => Math.floor(Date.now() / 1000);

describe("--acr-values", () => {
  const asked = "--acr-values=urn:phr urn:mfa";

  it.concurrent("is asked for, and a token with one of them is accepted [ID-12]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become({ idToken: { claims: { acr: "urn:mfa" } } });
      credentialOf(await logIn(asked));
      expect(issuer.received("authorization")[0]?.query.get("acr_values")).toBe("urn:phr urn:mfa");
      credentialOf(await refresh(asked));
    }));

  it.concurrent.each([
    ["another acr", { acr: "urn:password" }],
    ["no acr", {}],
    ["a part of one", { acr: "urn" }],
  ])("a login whose token has %s is POLICY_NOT_MET, and nothing of it is kept [ID-12]", (_, claims) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become({ idToken: { claims } });
      const ended = await logIn(asked);
      expectRefusal(issuer, ended, "POLICY_NOT_MET");
      expect(ended.status).toBe(20);
      expect(errorCode(await refresh(asked))).toBe("LOGIN_REQUIRED");
    }),
  );

  it.concurrent("a refreshed token must have it too; the session stays for when the issuer does it right [ID-12]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      const right = { idToken: { claims: { acr: "urn:mfa" } } };
      issuer.become(right);
      credentialOf(await logIn(asked));
      issuer.become({});
      for (let i = 0; i < 2; i++) expectRefusal(issuer, await refresh(asked), "POLICY_NOT_MET");
      issuer.become(right);
      credentialOf(await refresh(asked));
    }));
});

describe("--max-age", () => {
  it.concurrent("is asked for; an authentication within it is accepted, and at refresh it may be older by then [ID-13]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become({ idToken: { claims: { auth_time: now() - 59 } } });
      credentialOf(await logIn("--max-age=60"));
      expect(issuer.received("authorization")[0]?.query.get("max_age")).toBe("60");
      credentialOf(await refresh("--max-age=1"));
    }));

  it.concurrent.each([
    ["an older authentication", () => ({ auth_time: now() - 300 })],
    ["no time of authentication", () => ({})],
    ["a time of authentication that is no number", () => ({ auth_time: "now" })],
  ])("a login whose token has %s is refused [ID-13]", (_, claims) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become({ idToken: { claims: claims() } });
      const ended = await logIn("--max-age=60");
      expect(ended.stdout).toBe("");
      expect(["POLICY_NOT_MET", "ID_TOKEN_INVALID"]).toContain(errorCode(ended));
      expect(errorCode(await refresh())).toBe("LOGIN_REQUIRED");
    }),
  );
});

describe("with --oidc-use-access-token", () => {
  const asked = "--oidc-use-access-token";
  const hash = (text: string, by: string) => {
    const digest = createHash(by).update(text).digest();
    return digest.subarray(0, digest.length / 2).toString("base64url");
  };
  const lists = { discovery: changeJson({ id_token_signing_alg_values_supported: ["ES256", "ES384", "EdDSA"] }) };
  const withHash = (alg: Forgery["alg"], at: (accessToken: string) => unknown) => ({
    ...lists,
    idToken: (_: unknown, accessToken: string) => ({ ...(alg === undefined ? {} : { alg }), claims: { at_hash: at(accessToken) } }),
  });

  it.concurrent.each([
    ["ES256", "sha256"],
    ["ES384", "sha384"],
    ["EdDSA", "sha512"],
  ] as const)("the at_hash of an %s token that fits the access token is accepted, at login and refresh [ID-16]", (alg, by) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become(withHash(alg, (token) => hash(token, by)));
      credentialOf(await logIn(asked));
      credentialOf(await refresh(asked));
    }),
  );

  const wrong: readonly (readonly [string, (token: string) => unknown])[] = [
    ["of another access token", (token) => hash(`${token}1`, "sha256")],
    ["by another hash", (token) => hash(token, "sha512")],
    ["that is the whole digest", (token) => createHash("sha256").update(token).digest("base64url")],
    ["that is no text", () => 1],
    ["that is empty", () => ""],
  ];
  it.concurrent.each(wrong)("a login with an at_hash %s is refused, and nothing of it is kept [ID-16]", (_, at) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become(withHash("ES256", at));
      expectRefusal(issuer, await logIn(asked), "ID_TOKEN_INVALID");
      issuer.become({});
      expect(errorCode(await refresh(asked))).toBe("LOGIN_REQUIRED");
    }),
  );
  it.concurrent.each(wrong)("a refresh with an at_hash %s is refused, and the session stays [ID-16]", (_, at) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      credentialOf(await logIn(asked));
      issuer.become(withHash("ES256", at));
      expectRefusal(issuer, await refresh(asked), "ID_TOKEN_INVALID");
      issuer.become({});
      credentialOf(await refresh(asked));
    }),
  );

  it.concurrent("without at_hash nothing is compared, and a refresh may lack an ID token [ID-16, RF-05]", () =>
    onStage(async ({ issuer, logIn, refresh }) => {
      credentialOf(await logIn(asked));
      issuer.become({ token: onlyFor("refresh_token", changeJson({ id_token: undefined })) });
      credentialOf(await refresh(asked));
    }));
});
