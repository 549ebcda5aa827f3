import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { noteSecret } from "../canaries.ts";
import { type Ended, newHome, openUrl, runWithBrowser } from "../e2e/program.ts";
import { ageToken, home, issuer, options, session, useStage } from "../e2e/stage.ts";
import type { Form, Reply } from "../issuer/scripted-issuer.ts";

useStage();

/** Everything that a request carried, thrown back at us. */
const echo = (form: Form): string => Object.values(form).join(" and ");
const echoes: readonly (readonly [string, (form: Form) => Reply])[] = [
  ["in error_description", (form) => ({ status: 400, body: { error: "invalid_request", error_description: echo(form) } })],
  ["in the error itself", (form) => ({ status: 400, body: { error: echo(form) } })],
  ["in a challenge", (form) => ({ status: 401, body: {}, headers: { "www-authenticate": `Bearer error="x", error_description="${echo(form)}"` } })],
  [
    "in headers that are logged",
    (form) => ({ status: 400, body: { error: "x" }, headers: { server: echo(form), "retry-after": echo(form), [`x-${form["grant_type"]}`]: echo(form) } }),
  ],
  ["in a page with status 500", (form) => ({ status: 500, body: `<h1>${echo(form)}</h1>` })],
  ["in a page with status 200", (form) => ({ status: 200, body: echo(form) })],
  ["in JSON that breaks right after it", (form) => ({ status: 200, body: `{"refresh_token":"${form["refresh_token"] ?? form["code"]}"x` })],
  ["in JSON that breaks inside it", (form) => ({ status: 200, body: `{"id_token":"${form["refresh_token"] ?? form["code"]}\n` })],
  [
    "as the type of token",
    (form) => ({ status: 200, body: { access_token: "abcdefghij", token_type: echo(form), id_token: "x", refresh_token: form["refresh_token"] ?? "new-refresh-token" } }),
  ],
  [
    "as claims of a token that is none",
    (form) => ({ status: 200, body: { access_token: "abcdefghij", token_type: "Bearer", id_token: `${form["code"] ?? form["refresh_token"]}.x.y` } }),
  ],
];

/** The parts of the secrets that matter: ten characters are not a secret of sixteen random bytes any more. */
const parts = (form: Form) => ["code", "code_verifier", "refresh_token", "device_code", "client_secret", "password"].flatMap((name) => (form[name] ?? "").match(/.{8}/g) ?? []);
function expectNothingOf(form: Form | undefined, ended: Ended, page = ""): void {
  expect(form).toBeDefined();
  for (const part of parts(form ?? {}))
    for (const text of [ended.stdout, ended.stderr, page]) expect(text.includes(part), `a part of a secret in: ${text.replaceAll(part, "<HERE>")}`).toBe(false);
}

describe("an issuer that echoes our secrets", () => {
  it.each(echoes)("%s, at login, at refresh, for a device and for a machine, as text and JSON at -v8: none is shown [SE-02, SE-03, DV-16, P-06]", async (_, reply) => {
    const last = () => issuer.seen.filter(({ path }) => path === "/token").at(-1)?.form;
    expect((await runWithBrowser(home, session())).status).toBe(0);
    issuer.play.token = reply;
    ageToken();
    for (const output of [[], ["-o", "json"]]) {
      const ended = await home.run([output.length === 0 ? "get-token" : "token", ...options("--non-interactive", "-v8"), ...output]);
      expectNothingOf(last(), ended);
    }
    const login = home.start(["login", ...options("-v8", "--account=bob", "--oidc-client-secret-file=secret")]);
    await login.ended;
    writeFileSync(join(home.folder, "secret"), "a client secret of the test");
    home.holdsSecrets("secret");
    const browser = await runWithBrowser(home, ["login", ...options("-v8", "--account=bob", "--oidc-client-secret-file=secret")]);
    expectNothingOf(last(), browser, browser.page);
    expectNothingOf(last(), await home.run(["login", ...options("-v8", "--account=carol", "--grant-type=device-code", "--authentication-timeout-sec=4")]));
    expectNothingOf(last(), await home.run(session("-v8", "--grant-type=client-credentials", "--oidc-client-secret-file=secret")));
  });

  it("in the redirect: neither page nor terminal shows the code that came with the error [B-13]", async () => {
    issuer.play.authorize = (_query, proper) => new URLSearchParams([...proper, ["error", "access_denied"], ["error_description", `you sent ${proper.get("code")}`]]);
    const ended = await runWithBrowser(home, ["login", ...options("-v8")]);
    expect(ended.status).not.toBe(0);
  });
});

describe("the watch over every end-to-end test", () => {
  const leaks = (spoil: (other: ReturnType<typeof newHome>) => Promise<unknown> | unknown) => async () => {
    const other = newHome();
    noteSecret("refresh token", "a-refresh-token-that-got-out");
    await other.run(["version"]);
    await spoil(other);
    expect(() => other.remove()).toThrow(/secrets where they do not belong:\n.*a refresh token/);
  };
  const secret = "a-refresh-token-that-got-out";
  const put = (path: string, text: string) => (other: ReturnType<typeof newHome>) => {
    mkdirSync(join(other.folder, path, ".."), { recursive: true });
    writeFileSync(join(other.folder, path), text);
  };
  it("sees a secret in a file, in another coding, in a file's name, in a credential", async () => {
    await leaks(put("home/notes", `x${secret}x`))();
    await leaks(put("data/kubectl-oidc/memo/m.json", Buffer.from(`xx${secret}`).toString("base64url")))();
    await leaks(put("data/kubectl-oidc/sessions/s.json", Buffer.from(secret).toString("hex")))();
    await leaks(put(`data/${secret}`, ""))();
    await leaks(put("data/kubectl-oidc/credentials/c.json", secret))();
  });
  it("sees it in what the program says, and in a child's arguments and environment", async () => {
    await leaks(async (other) => {
      mkdirSync(other.data, { recursive: true, mode: 0o700 });
      return other.run(["get-token", "--non-interactive", `--oidc-issuer-url=http://127.0.0.1:1/${secret}`, "--oidc-client-id=x", "--token-cache-storage=disk"]);
    })();
    for (const [command, env] of [
      [`/bin/sh -c 'sleep 0.3; true' ${secret}`, {}],
      ["/bin/sh -c 'sleep 0.3; true'", { LEAKED: secret }],
    ] as const) {
      await leaks(async (other) => {
        const args = options(`--browser-command=${command}`).filter((arg) => arg !== "--skip-open-browser");
        const started = other.start(["login", ...args], env);
        await started.sees(openUrl);
        await new Promise((resolve) => spawn("/bin/sleep", ["0.2"]).on("close", resolve));
        started.child.kill("SIGINT");
        await started.ended;
      })();
    }
  });
});
