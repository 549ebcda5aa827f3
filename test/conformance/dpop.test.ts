import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { credentialOf, errorCode, runWithBrowser } from "../e2e/program.ts";
import { binding, proofOf } from "../issuer/dpop-proof.ts";
import { type Answer, oauthError } from "../issuer/issuer-answer.ts";
import type { Override } from "../issuer/misbehaving.ts";
import { changeJson, onlyFor } from "../issuer/misbehaviours.ts";
import { expectRefusal, type LyingStage, onStage } from "./lying-stage.ts";

/** A stage whose issuer binds; `token` is laid over that. */
const onBindingStage = (play: (stage: LyingStage) => Promise<void>, token?: Override) =>
  onStage(async (stage) => {
    stage.issuer.become(binding(() => stage.issuer.issuer, token));
    await play(stage);
  });
const laid = (stage: LyingStage, token?: Override) => stage.issuer.become(binding(() => stage.issuer.issuer, token));
const proofs = (stage: LyingStage, grantType: string) => Promise.all(stage.issuer.received("token", grantType).map((request) => proofOf(request, stage.issuer.issuer)));

interface Item {
  readonly refreshToken?: string;
  readonly dpopKey?: string;
}
const fileOf = ({ home }: LyingStage) => join(home.data, "refresh", readdirSync(join(home.data, "refresh"))[0] ?? "");
const itemOf = (stage: LyingStage) => JSON.parse((JSON.parse(readFileSync(fileOf(stage), "utf8")) as { value: string }).value) as Item;
const changeItem = (stage: LyingStage, changes: Partial<Record<keyof Item, string | undefined>>) => {
  const file = JSON.parse(readFileSync(fileOf(stage), "utf8")) as { value: string };
  writeFileSync(fileOf(stage), JSON.stringify({ ...file, value: JSON.stringify({ ...itemOf(stage), ...changes }) }), { mode: 0o600 });
};

describe("an issuer that lists DPoP", () => {
  it.concurrent("has the session bound at login, by a key that the authorization request names [DP-02, DP-03]", () =>
    onBindingStage(async (stage) => {
      credentialOf(await stage.logIn());
      const [proof] = await proofs(stage, "authorization_code");
      expect(proof).toBeDefined();
      expect(stage.issuer.received("authorization")[0]?.query.get("dpop_jkt")).toBe(proof?.thumbprint);
    }));

  it.concurrent("sees the same key at each refresh of another process, a new proof each time, and no other request with one [DP-01, DP-02]", () =>
    onBindingStage(async (stage) => {
      credentialOf(await stage.logIn());
      for (let i = 0; i < 2; i++) credentialOf(await stage.refresh());
      const all = [...(await proofs(stage, "authorization_code")), ...(await proofs(stage, "refresh_token"))];
      expect(new Set(all.map((proof) => proof?.thumbprint)).size).toBe(1);
      expect(new Set(all.map((proof) => proof?.jti)).size).toBe(3);
      expect(stage.issuer.requests.filter(({ headers, route }) => headers["dpop"] !== undefined && route !== "token")).toEqual([]);
    }));

  it.concurrent("the key lies with the refresh token and nowhere else, and a new login has another one [DP-01, DP-06]", () =>
    onBindingStage(async (stage) => {
      const { stderr } = await stage.logIn();
      const { dpopKey } = itemOf(stage);
      const { d } = JSON.parse(dpopKey ?? "{}") as { d: string };
      expect(d).toMatch(/^[\w-]{43}$/);
      const holders = readdirSync(stage.home.folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name), "latin1").includes(d))
        .map((entry) => join(entry.parentPath, entry.name));
      expect(holders).toEqual([fileOf(stage)]);
      expect(stderr).not.toContain(d);
      const again = await runWithBrowser(stage.home, stage.session().with(0, "login"));
      expect(again.status, again.stderr).toBe(0);
      expect(itemOf(stage).dpopKey).not.toBe(dpopKey);
      credentialOf(await stage.refresh());
    }));

  it.concurrent("gets the poll of a device with the proof, asked twice for a nonce once in the whole flow [DV-17, DP-02, DP-04]", () =>
    onBindingStage(async (stage) => {
      let pending = 2;
      laid(stage, async (request, _nth, proper) => {
        const nonce = (await proofOf(request, stage.issuer.issuer))?.nonce;
        if (nonce !== "n-1") return withNonce(oauthError("use_dpop_nonce"), "n-1");
        return pending-- > 0 ? oauthError("authorization_pending") : proper();
      });
      const ended = await stage.home.run(stage.session("--grant-type=device-code"));
      credentialOf(ended);
      expect(stage.issuer.count("token")).toBe(4);
      laid(stage);
      credentialOf(await stage.refresh());
    }));

  it.concurrent("has a pushed request that proves the key and names it, asked again for the nonce that the issuer demands there [DP-03, DP-04]", () =>
    onStage(async (stage) => {
      const bound = binding(() => stage.issuer.issuer);
      stage.issuer.become({
        ...bound,
        discovery: changeJson({
          dpop_signing_alg_values_supported: ["ES256"],
          pushed_authorization_request_endpoint: `${stage.issuer.issuer}/par`,
          require_pushed_authorization_requests: true,
        }),
        pushed_authorization: async (request, _nth, proper) => {
          const proof = await proofOf(request, stage.issuer.issuer);
          if (proof === undefined || proof.thumbprint !== request.form.get("dpop_jkt")) return oauthError("invalid_dpop_proof");
          return proof.nonce === "n-1" ? proper() : withNonce(oauthError("use_dpop_nonce"), "n-1");
        },
      });
      credentialOf(await stage.logIn());
      expect(stage.issuer.count("pushed_authorization")).toBe(2);
      // The nonce is known by the time of the code.
      expect((await proofs(stage, "authorization_code")).map((proof) => proof?.nonce)).toEqual(["n-1"]);
      stage.issuer.become({ discovery: changeJson({ pushed_authorization_request_endpoint: `${stage.issuer.issuer}/par`, require_pushed_authorization_requests: true }) });
      const unbound = await runWithBrowser(stage.home, stage.session("--dpop=never", "--account=alice@example.com").with(0, "login"));
      expect(unbound.status, unbound.stderr).toBe(0);
      expect(stage.issuer.received("pushed_authorization").at(-1)?.headers).not.toHaveProperty("dpop");
    }));

  it.concurrent.each([
    ["--dpop=never", ["--dpop=never"]],
    ["an access token for the cluster", ["--oidc-use-access-token"]],
    ["an audience", ["--oidc-audience=urn:cluster"]],
  ])("with %s nothing is bound [DP-07]", (_, options) =>
    onBindingStage(async (stage) => {
      credentialOf(await stage.logIn(...options));
      expect(stage.issuer.received("authorization")[0]?.query.has("dpop_jkt")).toBe(false);
      credentialOf(await stage.refresh(...options));
      expect(stage.issuer.requests.some(({ headers }) => headers["dpop"] !== undefined)).toBe(false);
      expect(itemOf(stage)).not.toHaveProperty("dpopKey");
    }),
  );

  it.concurrent("and calls what it gives Bearer: the login holds, and the key is used all the same, since the refresh token can be bound alone", () =>
    onBindingStage(
      async (stage) => {
        credentialOf(await stage.logIn());
        credentialOf(await stage.refresh());
        expect((await proofs(stage, "refresh_token")).every((proof) => proof !== undefined)).toBe(true);
      },
      changeJson({ token_type: "Bearer" }),
    ));

  it.concurrent("has a session that was bound refreshed with its key, whatever --dpop says by then", () =>
    onBindingStage(async (stage) => {
      credentialOf(await stage.logIn());
      credentialOf(await stage.refresh("--dpop=never"));
      expect((await proofs(stage, "refresh_token")).every((proof) => proof !== undefined)).toBe(true);
    }));

  it.concurrent("has a session from before refreshed without a key", () =>
    onStage(async (stage) => {
      credentialOf(await stage.logIn());
      laid(stage);
      credentialOf(await stage.refresh());
      expect(await proofs(stage, "refresh_token")).toEqual([undefined]);
    }));
});

describe("an issuer that does not list DPoP, or no algorithm of ours", () => {
  it.concurrent.each([
    ["none", undefined],
    ["RS256 alone", ["RS256"]],
    ["nonsense", "ES256"],
  ])("(%s): no key, no proof", (_, algorithms) =>
    onStage(async (stage) => {
      stage.issuer.become({ discovery: changeJson({ dpop_signing_alg_values_supported: algorithms }) });
      credentialOf(await stage.logIn());
      expect(stage.issuer.requests.some(({ headers, query }) => headers["dpop"] !== undefined || query.has("dpop_jkt"))).toBe(false);
    }),
  );

  it.concurrent("is refused by --dpop=always before a browser opens", () =>
    onStage(async (stage) => {
      const ended = await stage.home.run(stage.session("--dpop=always"));
      expectRefusal(stage.issuer, ended, "GRANT_UNSUPPORTED");
      expect(ended.stderr).not.toContain("open this URL");
      expect(stage.issuer.count("authorization")).toBe(0);
    }));
});

describe("--dpop=always", () => {
  it.concurrent("takes an answer that is bound, at login and refresh", () =>
    onBindingStage(async (stage) => {
      credentialOf(await stage.logIn("--dpop=always"));
      credentialOf(await stage.refresh("--dpop=always"));
    }));

  it.concurrent("refuses a login whose answer is not: nothing is stored, and what came is revoked", () =>
    onBindingStage(
      async (stage) => {
        expectRefusal(stage.issuer, await stage.logIn("--dpop=always"), "POLICY_NOT_MET");
        expect(stage.issuer.count("revocation")).toBe(1);
        expect(errorCode(await stage.refresh())).toBe("LOGIN_REQUIRED");
      },
      changeJson({ token_type: "Bearer" }),
    ));

  it.concurrent("refuses a refresh whose answer is not; the session stays for when the issuer does it right", () =>
    onBindingStage(async (stage) => {
      credentialOf(await stage.logIn("--dpop=always"));
      laid(stage, onlyFor("refresh_token", changeJson({ token_type: "bearer" })));
      expectRefusal(stage.issuer, await stage.refresh("--dpop=always"), "POLICY_NOT_MET");
      laid(stage);
      credentialOf(await stage.refresh("--dpop=always"));
    }));

  it.concurrent("contradicts a machine's grant, which has no session; what is only offered does not", () =>
    onBindingStage(async (stage) => {
      const machine = ["--grant-type=client-credentials", "--oidc-use-access-token"];
      const conflict = await stage.home.run(stage.session("--grant-type=password", "--username=ann", "--dpop=always"));
      expect([errorCode(conflict), conflict.status]).toEqual(["FLAG_CONFLICT", 2]);
      expect(stage.issuer.count("token")).toBe(0);
      credentialOf(await stage.home.run(stage.session(...machine)));
      expect(await proofs(stage, "client_credentials")).toEqual([undefined]);
    }));

  it.concurrent("does not refresh a session that is bound to nothing: a login is needed, and without a person that is said", () =>
    onStage(async (stage) => {
      credentialOf(await stage.logIn());
      laid(stage);
      const refused = await stage.refresh("--dpop=always");
      expectRefusal(stage.issuer, refused, "LOGIN_REQUIRED");
      expect(refused.stderr).toContain("--dpop=always");
      expect(stage.issuer.count("token", "refresh_token")).toBe(0);
      credentialOf(await stage.logIn("--dpop=always"));
      credentialOf(await stage.refresh("--dpop=always"));
    }));
});

const withNonce = (answer: Answer, nonce: string, more: Readonly<Record<string, string>> = {}): Answer => ({
  ...answer,
  headers: { ...answer.headers, "DPoP-Nonce": nonce, ...more },
});

describe("a nonce of the issuer", () => {
  const challenge = 'DPoP error="use_dpop_nonce", error_description="a nonce is required"';
  it.concurrent.each<[string, Answer]>([
    ["by its JSON error", withNonce(oauthError("use_dpop_nonce"), "n-1")],
    ["as text/plain", withNonce({ status: 400, text: '{"error":"use_dpop_nonce"}', headers: { "content-type": "text/plain" } }, "n-1")],
    ["with a challenge beside it", withNonce({ ...oauthError("use_dpop_nonce"), status: 401 }, "n-1", { "www-authenticate": challenge })],
    ["by a challenge alone", withNonce({ status: 401, text: "" }, "n-1", { "www-authenticate": challenge })],
  ])("that it demands %s is used at once, and the token is spent once [DP-04]", (_, refusal) =>
    onBindingStage(async (stage) => {
      laid(stage, async (request, _nth, proper) => ((await proofOf(request, stage.issuer.issuer))?.nonce === "n-1" ? proper() : refusal));
      credentialOf(await stage.logIn());
      expect(stage.issuer.count("token", "authorization_code")).toBe(2);
      credentialOf(await stage.refresh());
      credentialOf(await stage.refresh());
      const nonces = (await proofs(stage, "refresh_token")).map((proof) => proof?.nonce);
      expect(nonces).toEqual([undefined, "n-1", undefined, "n-1"]);
    }),
  );

  it.concurrent("that is never good enough ends after two requests; the session is kept", () =>
    onBindingStage(async (stage) => {
      credentialOf(await stage.logIn());
      let nth = 0;
      laid(stage, () => withNonce(oauthError("use_dpop_nonce"), `n-${++nth}`));
      expectRefusal(stage.issuer, await stage.refresh(), "CLIENT_REJECTED");
      expect(nth).toBe(2);
      laid(stage);
      credentialOf(await stage.refresh());
    }));
});

describe("a proof that the issuer does not accept", () => {
  it.concurrent("is no logout: the cure is named, and the session works once it is accepted again [DP-08]", () =>
    onBindingStage(async (stage) => {
      credentialOf(await stage.logIn());
      const ahead = () => ({ ...oauthError("invalid_dpop_proof", "iat is not recent"), headers: { date: new Date(Date.now() + 300_000).toUTCString() } });
      laid(stage, onlyFor("refresh_token", ahead));
      const refused = await stage.refresh();
      expectRefusal(stage.issuer, refused, "CLIENT_REJECTED");
      expect(refused.stderr).toMatch(/hint: set this computer's clock: the issuer's is (29\d|30[01]) s ahead; .*--dpop=never/);
      laid(stage, onlyFor("refresh_token", oauthError("invalid_dpop_proof")));
      expect((await stage.refresh()).stderr).toMatch(/hint: check this computer's clock; .*--dpop=never/);
      laid(stage);
      credentialOf(await stage.refresh());
    }));
});

describe("a key that is lost", () => {
  it.concurrent.each([
    ["gone", undefined],
    ["damaged", '{"kty":"EC","crv":"P-256"}'],
    ["no JSON", "{"],
    ["of another kind", '{"kty":"oct","k":"AA"}'],
  ])("(%s) is the session lost: SESSION_REVOKED, then a login [DP-06]", (_, dpopKey) =>
    onBindingStage(async (stage) => {
      credentialOf(await stage.logIn());
      changeItem(stage, { dpopKey });
      expectRefusal(stage.issuer, await stage.refresh(), "SESSION_REVOKED");
      expect(itemOf(stage)).not.toHaveProperty("dpopKey");
      credentialOf(await stage.logIn());
      credentialOf(await stage.refresh());
    }),
  );

  it.concurrent("a refresh token that was stolen without it is worth nothing [DP-05]", () =>
    onBindingStage(async (stage) => {
      credentialOf(await stage.logIn());
      const stolen = new URLSearchParams({ grant_type: "refresh_token", client_id: "kubernetes", refresh_token: itemOf(stage).refreshToken ?? "" });
      const answer = await fetch(`${stage.issuer.issuer}/token`, { method: "POST", body: stolen });
      expect(await answer.json()).toMatchObject({ error: "invalid_grant" });
      credentialOf(await stage.refresh());
    }));
});

describe("a login that brings no refresh token", () => {
  it.concurrent("leaves the session's own and its key [DP-06]", () =>
    onStage(async (stage) => {
      const proper = binding(() => stage.issuer.issuer);
      stage.issuer.become(proper);
      credentialOf(await stage.logIn());
      const { dpopKey, refreshToken } = itemOf(stage);
      stage.issuer.become({ ...proper, refreshTokens: "none" });
      const again = await runWithBrowser(stage.home, stage.session().with(0, "login"));
      expect(again.status, again.stderr).toBe(0);
      expect(itemOf(stage)).toMatchObject({ dpopKey, refreshToken });
      stage.issuer.become(proper);
      credentialOf(await stage.refresh());
    }));
});

describe("a login whose answer could not be judged at once", () => {
  it.concurrent("keeps its key with that answer, and the next call refreshes with it [DP-06, RT-04]", () =>
    onBindingStage(async (stage) => {
      const proper = binding(() => stage.issuer.issuer);
      stage.issuer.become({ ...proper, jwks: { status: 503, text: "" } });
      const left = await stage.logIn();
      expect(errorCode(left)).toBe("ISSUER_UNREACHABLE");
      expect(itemOf(stage)).not.toHaveProperty("dpopKey");
      // The keys are still out of reach while the second answer is on its way: nothing is lost by that either.
      stage.issuer.become(proper);
      credentialOf(await stage.refresh());
      credentialOf(await stage.refresh("--force-refresh"));
      const keys = new Set([...(await proofs(stage, "authorization_code")), ...(await proofs(stage, "refresh_token"))].map((proof) => proof?.thumbprint));
      expect(keys.size).toBe(1);
      expect(stage.issuer.count("token", "refresh_token")).toBeGreaterThan(0);
    }));

  it.concurrent("and can never be, has its refresh token used with the key that came with it, not with that of the session before [DP-06, RT-04]", () =>
    onBindingStage(async (stage) => {
      credentialOf(await stage.logIn());
      const proper = binding(() => stage.issuer.issuer);
      stage.issuer.become({ ...proper, idToken: { key: "stranger" }, jwks: { status: 503, text: "" } });
      // What the session knows of the issuer is kept with it: a login begins anew.
      const left = await runWithBrowser(stage.home, stage.session().with(0, "login"));
      expect(errorCode(left), left.stderr).toBe("ISSUER_UNREACHABLE");
      stage.issuer.become(proper);
      credentialOf(await stage.refresh());
      const [first, second] = await proofs(stage, "authorization_code");
      expect((await proofs(stage, "refresh_token")).map((proof) => proof?.thumbprint)).toEqual([second?.thumbprint]);
      expect(second?.thumbprint).not.toBe(first?.thumbprint);
      credentialOf(await stage.refresh());
    }));
});
