import { describe, expect, it } from "vitest";
import { browse, credentialOf, errorCode, openUrl } from "../e2e/program.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import type { Override } from "../issuer/misbehaving.ts";
import { changeJson, changeRedirect, onlyFor } from "../issuer/misbehaviours.ts";
import { expectRefusal, type LyingStage, onStage } from "./lying-stage.ts";

const evil = "https://elsewhere.example";
const denied = { code: undefined, error: "access_denied", error_description: "the person said no" };
const promisesNothing = { discovery: changeJson({ authorization_response_iss_parameter_supported: undefined }) };
/** The callback once more with this parameter. */
const addToRedirect =
  (name: string, value?: string): Override =>
  async (_request, _nth, proper) => {
    const answer = await proper();
    const location = new URL(answer.headers?.["location"] ?? "");
    location.searchParams.append(name, value ?? location.searchParams.get(name) ?? "");
    return { ...answer, headers: { location: location.href } };
  };
const codesSent = ({ issuer }: LyingStage) => issuer.count("token", "authorization_code");

describe("an answer of the authorization endpoint ends the login, and no code is sent, when it", () => {
  const cases: readonly (readonly [title: string, changes: Readonly<Record<string, string | undefined>>, code: string, promised: boolean])[] = [
    ["names another issuer [I-01, I-05, B-03, RP-51]", { iss: evil }, "ISSUER_MISMATCH", true],
    ["names another issuer, and none was promised [I-01, I-04, I-05, B-03]", { iss: evil }, "ISSUER_MISMATCH", false],
    ["names none, and one was promised [I-02, I-05, RP-50]", { iss: undefined }, "ISSUER_MISMATCH", true],
    ["is a refusal that names another issuer: it is not believed either [I-03]", { ...denied, iss: evil }, "ISSUER_MISMATCH", true],
    ["is a refusal that names none, and one was promised [I-03]", { ...denied, iss: undefined }, "ISSUER_MISMATCH", true],
    ["is a refusal of the right issuer [I-03]", denied, "LOGIN_DENIED", true],
  ];
  it.concurrent.each(cases)("%s", (_, changes, code, promised) =>
    onStage(async (stage) => {
      stage.issuer.become({ ...(promised ? {} : promisesNothing), authorization: changeRedirect(changes) });
      const ended = await stage.logIn();
      expectRefusal(stage.issuer, ended, code);
      expect(ended.page).toContain(code);
      expect(codesSent(stage)).toBe(0);
      expect(ended.page).not.toContain("elsewhere.example");
    }),
  );
});

describe("a refusal that can be cured by an option", () => {
  it("names it: a client whose requests must be pushed, which the document does not tell (Keycloak)", () =>
    onStage(async (stage) => {
      const authorization = changeRedirect({ code: undefined, error: "invalid_request", error_description: "Pushed Authorization Request is only allowed." });
      stage.issuer.become({ authorization });
      const ended = await stage.logIn();
      expectRefusal(stage.issuer, ended, "CLIENT_REJECTED");
      expect(ended.stderr).toContain("add --par=always");
    }));
});

describe("an answer is turned away, and the wait goes on for the right one, when", () => {
  const cases: readonly (readonly [title: string, authorization: Override])[] = [
    ["its state is another [RP-52]", changeRedirect({ state: "another-state" })],
    ["it has no state [RP-53]", changeRedirect({ state: undefined })],
    ["it is a refusal with another state [RP-52]", changeRedirect({ ...denied, state: "another-state" })],
    ["its code comes twice [I-06]", addToRedirect("code")],
    ["its state comes twice [I-06]", addToRedirect("state")],
    ["its iss comes twice [I-06]", addToRedirect("iss")],
    ["its iss comes twice, once another's [I-06]", addToRedirect("iss", evil)],
  ];
  it.concurrent.each(cases)("%s", (_, authorization) =>
    onStage(async (stage) => {
      stage.issuer.become({ authorization });
      const started = stage.home.start(stage.session());
      const [, url = ""] = await started.sees(openUrl);
      expect((await browse(url)).status).toBe(400);
      expect(codesSent(stage)).toBe(0);
      stage.issuer.become({});
      expect((await browse(url)).status).toBe(200);
      credentialOf(await started.ended);
      expect(codesSent(stage)).toBe(1);
    }),
  );
});

describe("a code", () => {
  it.concurrent("is sent once, also when the callback comes three times at once [B-13]", () =>
    onStage(async (stage) => {
      const started = stage.home.start(stage.session());
      const [, url = ""] = await started.sees(openUrl);
      const callback = (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
      const pages = await Promise.all([0, 1, 2].map(() => fetch(callback).then(({ status }) => status)));
      expect(pages[0]).toBe(200);
      credentialOf(await started.ended);
      expect(codesSent(stage)).toBe(1);
      // The listener is gone, and with it the state.
      await expect(fetch(callback)).rejects.toThrow();
    }));

  it.concurrent("that the issuer refuses is not sent again; the next login has another state, nonce and verifier [B-13]", () =>
    onStage(async (stage) => {
      stage.issuer.become({ token: onlyFor("authorization_code", oauthError("invalid_grant")) });
      const refused = await stage.logIn();
      expectRefusal(stage.issuer, refused, "LOGIN_DENIED");
      expect(codesSent(stage)).toBe(1);
      await expect(fetch(new URL(refused.url).searchParams.get("redirect_uri") ?? "")).rejects.toThrow();
      expect(errorCode(await stage.refresh())).toBe("LOGIN_REQUIRED");
    }));
});

describe("the listener", () => {
  it.concurrent("redirects nobody, and its pages give nothing away [B-09, B-10, B-11]", () =>
    onStage(async ({ home, session }) => {
      const started = home.start(session());
      const [, url = ""] = await started.sees(openUrl);
      const redirectUri = new URL(url).searchParams.get("redirect_uri") ?? "";
      const state = new URL(url).searchParams.get("state") ?? "";
      const targets = ["", "/", "/?", "/login", `/?redirect_uri=${evil}`, `/?url=${evil}&state=${state}`, `//${new URL(evil).host}/`, `/?code=x&state=y`];
      for (const target of targets) {
        const answer = await fetch(`${redirectUri}${target}`, { redirect: "manual" });
        const page = await answer.text();
        expect(answer.status, target).toBeGreaterThanOrEqual(400);
        expect(answer.headers.get("location"), target).toBeNull();
        expect(page).not.toContain(state);
        expect(page).not.toContain("elsewhere");
      }
      const callback = (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
      const answer = await fetch(callback, { redirect: "manual" });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("location")).toBeNull();
      expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
      expect(answer.headers.get("cache-control")).toBe("no-store");
      const page = await answer.text();
      for (const secret of new URL(callback).searchParams.values()) if (!secret.startsWith("http")) expect(page).not.toContain(secret);
      credentialOf(await started.ended);
    }));

  it.concurrent("sends to the page that the person chose with 302, never 307, and nothing of the callback goes along [B-09, B-11]", () =>
    onStage(async ({ home, session }) => {
      const started = home.start(session("--open-url-after-authentication=https://intranet.example/done"));
      const [, url = ""] = await started.sees(openUrl);
      const callback = (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
      const answer = await fetch(callback, { redirect: "manual" });
      expect([answer.status, answer.headers.get("location"), answer.headers.get("referrer-policy")]).toEqual([302, "https://intranet.example/done", "no-referrer"]);
      credentialOf(await started.ended);
    }));
});
