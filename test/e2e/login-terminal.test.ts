import { writeFileSync } from "node:fs";
import { release } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type Conversation, hasScript, inTerminal } from "./conversation.ts";
import { runWithBrowser } from "./program.ts";
import { home, issuer, options, useStage } from "./stage.ts";

useStage();

const countdown = /^kubectl-oidc: waiting for (?:your browser|you to confirm the code)… \d+:\d\d left, Ctrl-C cancels$/;
const question = /^kubectl-oidc: or paste the code or the whole redirected URL here:/;
const rowsOf = (conversation: Conversation, pattern: RegExp) => conversation.screen().filter((row) => pattern.test(row));
/** The program's terminal is as wide as the URL is long, so that it is one row. */
const wide = { columns: 1000 };

/** The page that the issuer sends the browser to: asking for it is what a browser does. */
async function answerUrl(conversation: Conversation): Promise<string> {
  const url = await conversation.seesRow(/^http\S+\/authorize\?/);
  await conversation.seesRow(countdown);
  return (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
}
const secondsOf = (row: string) => Number(/(\d+):(\d\d) left/.exec(row)?.[1]) * 60 + Number(/(\d+):(\d\d) left/.exec(row)?.[2]);

/** Waits until the line shows less than it does now. */
async function nextSecond(conversation: Conversation): Promise<void> {
  const now = secondsOf(await conversation.seesRow(countdown));
  const less = () => rowsOf(conversation, countdown).some((row) => secondsOf(row) < now);
  await expect.poll(less, { timeout: 20_000 }).toBe(true);
}

describe.skipIf(!hasScript)(`login on a terminal${hasScript ? "" : " (needs util-linux' script)"}`, () => {
  it("counts down on one line above the question, and both are gone when the browser has answered", async () => {
    const conversation = inTerminal(home, ["login", ...options()], wide);
    const location = await answerUrl(conversation);
    await nextSecond(conversation);
    await nextSecond(conversation);
    expect([rowsOf(conversation, countdown).length, rowsOf(conversation, question).length]).toEqual([1, 1]);
    await fetch(location);
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect([rowsOf(conversation, countdown), rowsOf(conversation, question)]).toEqual([[], []]);
    expect(rowsOf(conversation, /logged in to \S+ as ann@example.com$/).length).toBe(1);
  });

  it.each([80, 50])("keeps what was typed while it counts, on %i columns, and takes it when the line ends", async (columns) => {
    const conversation = inTerminal(home, ["login", ...options()], { columns });
    // The URL is broken over rows here: it is taken as it was sent.
    const [, url = ""] = await conversation.sees(/open this URL in your browser:\s+(\S+)/);
    const location = (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
    const code = new URL(location).searchParams.get("code") ?? "";
    await conversation.sees(/redirected URL here: /);
    conversation.type(code.slice(0, 10));
    const folded = () => conversation.screen().join("");
    await expect.poll(folded, { timeout: 20_000 }).toContain(`here: ${code.slice(0, 10)}`);
    const leftNow = () => /(\d+:\d\d) left/.exec(folded())?.[1];
    const before = leftNow();
    await expect.poll(leftNow, { timeout: 20_000 }).not.toBe(before);
    expect(folded()).toContain(`here: ${code.slice(0, 10)}`);
    expect(folded().match(/waiting for your browser/g)?.length).toBe(1);
    conversation.type(`${code.slice(10)}\n`);
    expect(await conversation.ended, conversation.shown()).toBe(0);
  });

  it("counts down on a line of its own where nobody can paste, and a warning goes above it", async () => {
    const conversation = inTerminal(home, ["login", ...options("--browser-command=/nowhere/browser").filter((arg) => arg !== "--skip-open-browser")], {
      ...wide,
      redirect: "< /dev/null",
    });
    const location = await answerUrl(conversation);
    await nextSecond(conversation);
    expect(rowsOf(conversation, countdown).length).toBe(1);
    expect(rowsOf(conversation, question)).toEqual([]);
    await fetch(location);
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(rowsOf(conversation, countdown)).toEqual([]);
    expect(rowsOf(conversation, /warning: no browser could be started; open the URL above by hand$/).length).toBe(1);
  });

  it("is said once, and nothing is written over, on a terminal that cannot do that", async () => {
    const conversation = inTerminal(home, ["login", ...options()], { ...wide, env: { TERM: "dumb" }, redirect: "< /dev/null" });
    const location = await answerUrl(conversation);
    await fetch(location);
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(rowsOf(conversation, countdown).length).toBe(1);
    expect(conversation.shown()).not.toContain("\u001b");
  });

  it.each([
    ["beside the question", ""],
    ["without one", "< /dev/null"],
  ])("Ctrl-C %s leaves the screen clean, and says that nothing was changed", async (_, redirect) => {
    const conversation = inTerminal(home, ["login", ...options()], { ...wide, redirect });
    await conversation.seesRow(countdown);
    if (redirect === "") await conversation.seesRow(question);
    conversation.type("\u0003");
    expect(await conversation.ended, conversation.shown()).toBe(130);
    expect(
      conversation
        .screen()
        .filter((row) => row !== "")
        .slice(-2),
    ).toEqual(["kubectl-oidc: error: cancelled; nothing was changed [INTERRUPTED]", "kubectl-oidc: hint: run the command again"]);
    expect([rowsOf(conversation, countdown), rowsOf(conversation, question)]).toEqual([[], []]);
  });

  it("over SSH, where no device code is to be had, shows the port-forward command beside the question", async () => {
    issuer.play.discovery = ({ device_authorization_endpoint: _, ...rest }) => rest;
    const args = ["login", ...options().filter((arg) => arg !== "--skip-open-browser")];
    const conversation = inTerminal(home, args, { ...wide, env: { SSH_CONNECTION: "198.51.100.9 50022 192.0.2.7 22", USER: "ann" } });
    const location = await answerUrl(conversation);
    const { port } = new URL(location);
    expect(rowsOf(conversation, /^kubectl-oidc: this is an SSH session: no browser can be reached from here; use one elsewhere and paste what it shows$/).length).toBe(1);
    expect(rowsOf(conversation, new RegExp(`^ {4}ssh -L ${port}:localhost:${port} ann@192\\.0\\.2\\.7$`)).length).toBe(1);
    await conversation.seesRow(question);
    conversation.type(`${location}\n`);
    expect(await conversation.ended, conversation.shown()).toBe(0);
  });

  it("get-token shows no line that counts, and moves no cursor: the screen may be k9s'", async () => {
    const conversation = inTerminal(home, ["get-token", ...options()], wide);
    const [, url = ""] = await conversation.sees(/open this URL in your browser: (\S+)/);
    await fetch((await fetch(url, { redirect: "manual" })).headers.get("location") ?? "");
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(conversation.shown()).not.toMatch(/waiting/);
    expect(conversation.shown()).not.toContain("\u001b");
  });

  it("-o json shows none either, and asks for no paste", async () => {
    const conversation = inTerminal(home, ["login", ...options(), "-o", "json"], wide);
    const [, url = ""] = await conversation.sees(/open this URL in your browser: (\S+)/);
    await fetch((await fetch(url, { redirect: "manual" })).headers.get("location") ?? "");
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(conversation.shown()).not.toMatch(/waiting|paste/);
    expect(conversation.shown()).not.toContain("\u001b");
  });

  it("a device code comes with a QR code where no browser can be opened and there is room for it", async () => {
    const device = ["login", ...options("--grant-type=device-code").filter((arg) => arg !== "--skip-open-browser")];
    const roomy = inTerminal(home, device);
    expect(await roomy.ended, roomy.shown()).toBe(0);
    expect(roomy.shown()).toMatch(/[█▀▄]{5}/);
    const narrow = inTerminal(home, device, { columns: 20 });
    expect(await narrow.ended, narrow.shown()).toBe(0);
    expect(narrow.shown()).not.toMatch(/[█▀▄]{5}/);
    const withBrowser = inTerminal(home, [...device, "--browser-command=/bin/true"]);
    expect(await withBrowser.ended, withBrowser.shown()).toBe(0);
    expect(withBrowser.shown()).not.toMatch(/[█▀▄]{5}/);
  });
});

/** The same text whatever the port, the folder, the time and the answers of chance. */
const steady = (text: string) =>
  text
    .replaceAll(issuer.url, "https://id.example.com")
    .replaceAll(join(home.folder, "data"), "/home/ann/.local/share")
    .replace(/authorize\?\S+/g, "authorize?response_type=code&…")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "2026-10-05T09:30:00Z")
    .replace(/in (?:4|5) min/g, "in 5 min")
    .replace(/\d+:\d\d left/g, "2:59 left")
    .replace(/ +$/gm, "");
const golden = (name: string) => resolve(import.meta.dirname, "../golden/terminal", name);

/** A kubeconfig whose context has these arguments, so that nobody types an issuer. */
function writeContext(...more: readonly string[]): void {
  const args = ["get-token", ...options("--browser-command=/bin/true", ...more).filter((arg) => arg !== "--skip-open-browser")];
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "kubectl-oidc", args, interactiveMode: "IfAvailable", provideClusterInfo: true };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "prod",
    contexts: [{ name: "prod", context: { cluster: "prod", user: "oidc" } }],
    clusters: [{ name: "prod", cluster: { server: "https://k8s.example.com:6443" } }],
    users: [{ name: "oidc", user: { exec } }],
  };
  writeFileSync(join(home.folder, "kubeconfig"), JSON.stringify(config));
}

/** The command and what the terminal shows; docs/pictures is drawn from it. */
const sessionText = (args: readonly string[], conversation: Conversation) => `$ kubectl oidc ${args.join(" ")}\n${steady(conversation.screen().join("\n")).trimEnd()}\n`;

// On WSL one line more is said.
describe.skipIf(!hasScript || /microsoft/i.test(release()))("a whole session on a terminal", () => {
  it("by browser", async () => {
    const args = ["login", "--context", "prod"];
    writeContext();
    const conversation = inTerminal(home, args, wide);
    const location = await answerUrl(conversation);
    await conversation.seesRow(question);
    await expect(sessionText(args, conversation)).toMatchFileSnapshot(golden("login-browser-waiting.txt"));
    await fetch(location);
    expect(await conversation.ended, conversation.shown()).toBe(0);
    await expect(sessionText(args, conversation)).toMatchFileSnapshot(golden("login-browser.txt"));
  });

  it("by device code", async () => {
    const args = ["login", "--context", "prod", "--grant-type=device-code"];
    writeContext();
    issuer.play.polls = [{ status: 400, body: { error: "authorization_pending" } }];
    const conversation = inTerminal(home, args, wide);
    await conversation.seesRow(countdown);
    await expect(sessionText(args, conversation)).toMatchFileSnapshot(golden("login-device-waiting.txt"));
    expect(await conversation.ended, conversation.shown()).toBe(0);
    await expect(sessionText(args, conversation)).toMatchFileSnapshot(golden("login-device.txt"));
  });

  it("that is cancelled, with an earlier session, which still works", async () => {
    const args = ["login", "--context", "prod"];
    writeContext();
    await runWithBrowser(home, args);
    const conversation = inTerminal(home, args, wide);
    await conversation.seesRow(question);
    conversation.type("\u0003");
    expect(await conversation.ended, conversation.shown()).toBe(130);
    await expect(sessionText(args, conversation)).toMatchFileSnapshot(golden("login-cancelled.txt"));
    expect((await home.run(["get-token", ...options("--force-refresh", "--non-interactive")])).status).toBe(0);
  });
});
