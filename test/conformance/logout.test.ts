import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { credentialOf, errorCode } from "../e2e/program.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import type { Behaviour } from "../issuer/misbehaving.ts";
import { changeJson } from "../issuer/misbehaviours.ts";
import { type LyingStage, onStage } from "./lying-stage.ts";

const logOut = ({ home, session }: LyingStage, ...more: string[]) => home.run(["logout", ...session(...more).slice(1)]);
/** Nothing of the session is left on disk. */
const leftovers = ({ home }: LyingStage) =>
  ["refresh", "sessions", "credentials", "journal"].flatMap((folder) =>
    existsSync(join(home.data, folder)) ? readdirSync(join(home.data, folder)).map((name) => `${folder}/${name}`) : [],
  );

describe("logout", () => {
  it.concurrent("revokes the refresh token, with its hint, then deletes it; a second one has nothing to do [V-01, V-06, L-04]", () =>
    onStage(async (stage) => {
      credentialOf(await stage.logIn());
      const ended = await logOut(stage);
      expect(ended).toMatchObject({ status: 0, stdout: "" });
      const [request] = stage.issuer.received("revocation");
      expect([request?.method, request?.form.get("token_type_hint"), request?.form.get("client_id")]).toEqual(["POST", "refresh_token", "kubernetes"]);
      expect(stage.issuer.secrets).toContain(request?.form.get("token"));
      expect(leftovers(stage)).toEqual([]);
      expect(await logOut(stage)).toMatchObject({ status: 0, stdout: "" });
      expect(stage.issuer.count("revocation")).toBe(1);
      expect(errorCode(await stage.refresh())).toBe("LOGIN_REQUIRED");
    }));

  it.concurrent("counts a token that the issuer does not know as revoked: it answers 200 (RFC 7009, section 2.2) [V-02]", () =>
    onStage(async (stage) => {
      credentialOf(await stage.logIn());
      stage.issuer.revokeEverything();
      const ended = await logOut(stage);
      expect(ended.status).toBe(0);
      expect(ended.stderr).toContain("the session is revoked");
      expect(ended.stderr).not.toContain("warning");
    }));

  const faults: readonly (readonly [title: string, behaviour: Behaviour, said: RegExp])[] = [
    ["does not revoke this kind of token [V-04]", { revocation: oauthError("unsupported_token_type") }, /could not be revoked.*unsupported_token_type/],
    ["answers 400 [V-03]", { revocation: oauthError("invalid_request") }, /could not be revoked/],
    ["does not know the client any more [V-03]", { revocation: { status: 401, json: { error: "invalid_client" } } }, /could not be revoked/],
    ["is busy [V-03]", { revocation: { status: 503, text: "", headers: { "retry-after": "5" } } }, /could not be revoked.*cannot answer now/],
    ["redirects [V-03]", { revocation: { status: 302, headers: { location: "https://elsewhere.example/" } } }, /could not be revoked/],
    ["shows a page of the network [V-03]", { revocation: { text: "<html>" } }, /could not be revoked/],
    ["offers no revocation [V-05]", { discovery: changeJson({ revocation_endpoint: undefined }) }, /offers no revocation/],
    ["cannot be asked at all [V-03, V-06]", { discovery: { status: 500, text: "" }, revocation: { status: 500, text: "" } }, /could not be revoked/],
  ];
  it.concurrent.each(faults)("deletes all the same, and warns, when the issuer %s", (_, behaviour, said) =>
    onStage(async (stage) => {
      credentialOf(await stage.logIn());
      stage.issuer.become(behaviour);
      if (behaviour.discovery !== undefined) rmSync(join(stage.home.data, "issuers"), { recursive: true });
      const ended = await logOut(stage);
      expect(ended).toMatchObject({ status: 0, stdout: "" });
      expect(ended.stderr).toMatch(said);
      expect(leftovers(stage)).toEqual([]);
      expect(errorCode(await stage.refresh())).toBe("LOGIN_REQUIRED");
    }),
  );
});

describe("logout --sso", () => {
  it.concurrent("shows the issuer's logout page for the client and the person, and no token; what it answers is not waited for [L-01, L-02, L-03, RP-70, RP-71, RP-72]", () =>
    onStage(async (stage) => {
      credentialOf(await stage.logIn());
      const ended = await logOut(stage, "--sso");
      expect(ended.status).toBe(0);
      const url = new URL(/end the browser's session here: (\S+)/.exec(ended.stderr)?.[1] ?? "");
      expect(`${url.origin}${url.pathname}`).toBe(`${stage.issuer.issuer}/logout`);
      // No post_logout_redirect_uri and no state: nothing comes back, so an issuer that answers with another state or none changes nothing.
      expect([...url.searchParams.keys()].filter((name) => name !== "logout_hint")).toEqual(["client_id"]);
      expect(url.href).not.toMatch(/ey[\w-]+\./);
    }));
  it.concurrent.each<[string, unknown]>([
    ["a script", "javascript:alert(1)"],
    ["a file", "file:///etc/passwd"],
    ["plain http elsewhere", "http://elsewhere.example/logout"],
    ["an address with a password", "https://u:p@elsewhere.example/"],
    ["none", undefined],
  ])("opens nothing when the issuer names %s as its logout page; the session is gone all the same [L-01]", (_, address) =>
    onStage(async (stage) => {
      credentialOf(await stage.logIn());
      stage.issuer.become({ discovery: changeJson({ end_session_endpoint: address }) });
      // Nothing is known of the issuer any more.
      rmSync(join(stage.home.data, "issuers"), { recursive: true });
      const ended = await logOut(stage, "--sso");
      expect(ended).toMatchObject({ status: 0, stdout: "" });
      expect(ended.stderr).toContain("warning");
      expect(ended.stderr).not.toContain("end the browser's session here");
      expect(leftovers(stage)).toEqual([]);
    }),
  );
});
