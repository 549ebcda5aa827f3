import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { browse, errorCode, openUrl } from "./program.ts";
import { home, issuer, options, session, useStage } from "./stage.ts";

useStage();

const ssh = { SSH_CONNECTION: "198.51.100.9 50022 192.0.2.7 2222", SSH_TTY: "/dev/pts/3", USER: "ann" };
const unopened = (args: readonly string[]) => args.filter((arg) => arg !== "--skip-open-browser");
const withoutDevice = () => {
  issuer.play.discovery = ({ device_authorization_endpoint: _, ...rest }) => rest;
};

/** VS Code's helper, which opens a URL on the person's own machine. */
function vscode(): { readonly env: Readonly<Record<string, string>>; opened(): string } {
  const helper = join(home.folder, "browser.sh");
  writeFileSync(helper, `#!/bin/sh\nprintf %s "$1" > '${home.folder}/opened.tmp'\nmv '${home.folder}/opened.tmp' '${home.folder}/opened'\n`, { mode: 0o755 });
  const opened = () => (existsSync(join(home.folder, "opened")) ? readFileSync(join(home.folder, "opened"), "utf8") : "");
  return { env: { VSCODE_IPC_HOOK_CLI: join(home.folder, "vscode-ipc.sock"), BROWSER: helper, TERM_PROGRAM: "vscode" }, opened };
}

/** The port that the issuer sends the browser to. */
const portOf = (url: string) => new URL(new URL(url).searchParams.get("redirect_uri") ?? "").port;

describe("over SSH", () => {
  it.each([
    ["login, which opens nothing", ["login"]],
    ["login with the browser flow asked for", ["login", "--grant-type=authcode"]],
    ["get-token", ["get-token"]],
  ])("the port-forward command is said, with the port that is really bound: %s", async (_, args) => {
    const started = home.start([...args, ...options()], ssh);
    const [, url = ""] = await started.sees(openUrl);
    const [, from, to] = await started.sees(/^kubectl-oidc: ssh -L (\d+):localhost:(\d+) -p 2222 ann@192\.0\.2\.7$/m);
    expect([from, to]).toEqual([portOf(url), portOf(url)]);
    await browse(url);
    expect((await started.ended).status).toBe(0);
  });

  it("auto takes a device code, and says why in one line", async () => {
    const ended = await home.run(unopened(["login", ...options()]), ssh);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr.split("\n")[0]).toBe("kubectl-oidc: this is an SSH session: no browser can be reached from here; a device code takes its place");
    expect(ended.stderr).toContain("and enter the code WDJB-MJHT\n");
    expect(ended.stderr).not.toContain("ssh -L");
  });

  it("only auto changes the flow", async () => {
    const started = home.start(unopened(["login", ...options("--grant-type=authcode")]), ssh);
    const [, url = ""] = await started.sees(openUrl);
    await browse(url);
    expect((await started.ended).stderr).not.toMatch(/device code|WDJB/);
  });

  it("without device codes and without a terminal to paste at, it is BROWSER_UNAVAILABLE", async () => {
    withoutDevice();
    expect(errorCode(await home.run(unopened(["login", ...options()]), ssh))).toBe("BROWSER_UNAVAILABLE");
  });
});

describe("in VS Code's remote terminals", () => {
  it.each([
    ["over SSH", { SSH_CONNECTION: ssh.SSH_CONNECTION }],
    ["in a dev container", { REMOTE_CONTAINERS: "true" }],
    ["in a codespace", { REMOTE_CONTAINERS: "true", CODESPACES: "true" }],
  ])("%s its helper opens the browser, and it forwards the port", async (_, place) => {
    const { env, opened } = vscode();
    const started = home.start(unopened(["login", ...options()]), { ...env, ...place });
    const [, url = ""] = await started.sees(openUrl);
    await expect.poll(opened, { timeout: 15_000 }).toBe(url);
    await started.sees(new RegExp(`VS Code forwards port ${portOf(url)} to your own machine`));
    await browse(url);
    const ended = await started.ended;
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stderr).not.toContain("ssh -L");
  });

  it("through a tunnel a device code takes the browser's place; its page is opened by the helper", async () => {
    const { env, opened } = vscode();
    const ended = await home.run(unopened(["login", ...options()]), env);
    expect(ended.status, ended.stderr).toBe(0);
    await expect.poll(opened, { timeout: 15_000 }).toBe(`${issuer.url}/activate?user_code=WDJB-MJHT`);
    expect(ended.stderr).toContain("VS Code's tunnel does not lead your browser back to this machine; a device code takes its place");
  });
});

it("nothing is said where nothing stands between browser and program", async () => {
  const started = home.start(["get-token", ...session("--browser-command=/bin/true").slice(1)]);
  const [, url = ""] = await started.sees(openUrl);
  await browse(url);
  expect((await started.ended).stderr.trimEnd().split("\n").length).toBe(2);
});

it("--qr without a device code says what it is for", async () => {
  const started = home.start(["login", ...options("--qr")]);
  const [, url = ""] = await started.sees(openUrl);
  await browse(url);
  expect((await started.ended).stderr).toContain("kubectl-oidc: warning: --qr is for device codes; add --grant-type=device-code\n");
});
