import { describe, expect, it } from "vitest";
import { credentialOf, errorCode, runWithBrowser } from "../e2e/program.ts";
import { expectRefusal, type LyingStage, onStage } from "./lying-stage.ts";

const now = () => Math.floor(Date.now() / 1000);
const authenticated = (ago: number) => ({ idToken: () => ({ claims: { auth_time: now() - ago } }) });
const asked = ({ issuer }: LyingStage, name: string) => issuer.received("authorization").at(-1)?.query.get(name);

describe("--prompt=login", () => {
  it.concurrent("is asked for with max_age, so that the issuer must say when the person authenticated [ID-13]", () =>
    onStage(async (stage) => {
      stage.issuer.become(authenticated(0));
      credentialOf(await stage.logIn("--prompt=login"));
      expect([asked(stage, "prompt"), asked(stage, "max_age")]).toEqual(["login", "180"]);
      // It is about the login: a refresh proves nothing anew.
      stage.issuer.become({});
      credentialOf(await stage.refresh("--prompt=login"));
    }));

  it.concurrent.each<[string, readonly string[], Readonly<Record<string, unknown>>]>([
    ["who authenticated before it began", ["--prompt=login"], { auth_time: now() - 60 }],
    ["of whom the issuer does not say when", ["--prompt=login"], {}],
    ["of whom it says so in another form", ["--prompt=login"], { auth_time: "today" }],
    ["before, when login is one of several prompts", ["--prompt=select_account login"], { auth_time: now() - 60 }],
    ["before, also when --max-age would allow it", ["--prompt=login", "--max-age=3600"], { auth_time: now() - 60 }],
  ])("refuses a person %s; nothing is kept, and what came is revoked [ID-13]", (_, options, claims) =>
    onStage(async (stage) => {
      stage.issuer.become({ idToken: { claims } });
      const ended = await stage.logIn(...options);
      expect(ended.stdout).toBe("");
      expect(["POLICY_NOT_MET", "ID_TOKEN_INVALID"]).toContain(errorCode(ended));
      expect(stage.issuer.count("revocation")).toBe(1);
      expect(errorCode(await stage.refresh())).toBe("LOGIN_REQUIRED");
    }),
  );

  it.concurrent("holds for a device code too [ID-13]", () =>
    onStage(async (stage) => {
      stage.issuer.become(authenticated(60));
      expectRefusal(stage.issuer, await stage.home.run(stage.session("--grant-type=device-code", "--prompt=login")), "POLICY_NOT_MET");
      stage.issuer.become(authenticated(0));
      credentialOf(await stage.home.run(stage.session("--grant-type=device-code", "--prompt=login", "--token-cache-dir=other")));
      expect(stage.issuer.received("device_authorization").at(-1)?.form.get("max_age")).toBe("180");
    }));

  it.concurrent.each(["--prompt=login", "--acr-values=urn:mfa", "--max-age=60", "--session-max-age=1h"])("%s is not proven by an access token alone [ID-12, ID-13]", (asked) =>
    onStage(async (stage) => {
      const session = stage.session("--grant-type=device-code", "--oidc-use-access-token");
      stage.issuer.become({ idToken: "missing" });
      expectRefusal(stage.issuer, await stage.home.run([...session, asked]), "POLICY_NOT_MET");
      credentialOf(await stage.home.run([...session, "--token-cache-dir=other"]));
    }),
  );

  it.concurrent("holds for an answer that only a later call can judge [ID-13, RT-04]", () =>
    onStage(async (stage) => {
      stage.issuer.become({ ...authenticated(60), jwks: { status: 503, text: "" } });
      expect(errorCode(await stage.logIn("--prompt=login"))).toBe("ISSUER_UNREACHABLE");
      stage.issuer.become(authenticated(60));
      for (let i = 0; i < 2; i++) expectRefusal(stage.issuer, await stage.refresh(), "POLICY_NOT_MET");
      stage.issuer.become(authenticated(0));
      const again = await runWithBrowser(stage.home, stage.session("--prompt=login").with(0, "login"));
      expect(again.status, again.stderr).toBe(0);
      stage.issuer.become({});
      credentialOf(await stage.refresh());
    }));

  it.concurrent("and the same answer, when it is true, is good then [RT-04]", () =>
    onStage(async (stage) => {
      stage.issuer.become({ ...authenticated(0), jwks: { status: 503, text: "" } });
      expect(errorCode(await stage.logIn("--prompt=login"))).toBe("ISSUER_UNREACHABLE");
      stage.issuer.become({});
      credentialOf(await stage.refresh());
    }));
});

describe("prompts that nothing proves", () => {
  it.concurrent.each(["consent", "select_account", "admin_consent"])("%s is asked for, and no more", (prompt) =>
    onStage(async (stage) => {
      credentialOf(await stage.logIn(`--prompt=${prompt}`));
      expect([asked(stage, "prompt"), asked(stage, "max_age")]).toEqual([prompt, null]);
    }),
  );
  it.concurrent("none is refused before any request: nobody could log in", () =>
    onStage(async (stage) => {
      expect(await stage.home.run(stage.session("--prompt=none"))).toMatchObject({ status: 2, stdout: "" });
      const byVariable = await stage.home.run(stage.session(), { KUBECTL_OIDC_PROMPT: "none" });
      expect([errorCode(byVariable), byVariable.status]).toEqual(["SETTINGS_INVALID", 40]);
      expect(stage.issuer.requests).toEqual([]);
    }));
});

describe("--session-max-age at the login", () => {
  it.concurrent("asks for an authentication that leaves some of it, and takes one [ID-13]", () =>
    onStage(async (stage) => {
      stage.issuer.become(authenticated(600));
      credentialOf(await stage.logIn("--session-max-age=1h"));
      expect(asked(stage, "max_age")).toBe("3240");
    }));
  it.concurrent.each<[string, Readonly<Record<string, unknown>>]>([
    ["older", { auth_time: now() - 3500 }],
    ["unknown", {}],
  ])("refuses one that is %s: the issuer did not ask the person [ID-13]", (_, claims) =>
    onStage(async (stage) => {
      stage.issuer.become({ idToken: { claims } });
      expectRefusal(stage.issuer, await stage.logIn("--session-max-age=1h"), "POLICY_NOT_MET");
      expect(errorCode(await stage.refresh())).toBe("LOGIN_REQUIRED");
    }),
  );
});
