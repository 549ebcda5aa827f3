import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { harmIn } from "../fakes/hostile-texts.ts";
import { type Conversation, hasScript, inTerminal, quoted } from "./conversation.ts";
import { home, issuer, options, useStage } from "./stage.ts";

useStage();

/** The redirected URL that the person would copy from the browser's address bar. */
async function redirected(conversation: Conversation): Promise<string> {
  const [, url = ""] = await conversation.sees(/open this URL in your browser:\s+(\S+)/);
  await conversation.sees(/paste the code/);
  return (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
}

describe.skipIf(!hasScript)(`on a terminal${hasScript ? "" : " (needs util-linux' script)"}`, () => {
  it("without a browser and without device codes, pasting takes their place, and that is said", async () => {
    issuer.play.discovery = ({ device_authorization_endpoint: _, ...rest }) => rest;
    const conversation = inTerminal(home, ["login", ...options().filter((option) => option !== "--skip-open-browser")]);
    conversation.type(`${await redirected(conversation)}\n`);
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(conversation.shown()).toContain("no browser can be reached from here; use one elsewhere and paste what it shows");
  });

  it("login takes a pasted redirected URL beside the listener", async () => {
    const conversation = inTerminal(home, ["login", ...options()]);
    conversation.type(`${await redirected(conversation)}\n`);
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(conversation.shown()).toContain("as ann@example.com");
  });

  it("authcode-keyboard takes the bare code, after what was not one", async () => {
    const conversation = inTerminal(home, ["get-token", ...options("--grant-type=authcode-keyboard")], { redirect: `> ${quoted(join(home.folder, "out"))}` });
    const location = await redirected(conversation);
    conversation.type("what is this\n");
    await conversation.sees(/neither a code nor a redirected URL/);
    conversation.type("http://localhost:8000/?code=x&state=of-another-login\n");
    await conversation.sees(/belongs to another login/);
    conversation.type(`${new URL(location).searchParams.get("code")}\n`);
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(JSON.parse(readFileSync(join(home.folder, "out"), "utf8")).kind).toBe("ExecCredential");
  });

  it("what somebody gave the person to paste is echoed without what a terminal obeys beyond ASCII [TE-01]", async () => {
    const conversation = inTerminal(home, ["login", ...options()]);
    const location = await redirected(conversation);
    conversation.type("ab\u009b31m\u009dc\u202ed\u2066 e\u2028f\n");
    await conversation.sees(/neither a code nor a redirected URL/);
    // Readline's own cursor movements are ASCII's.
    expect(harmIn(conversation.shown().replace(/\p{ASCII}/gu, ""))).toEqual([]);
    expect(conversation.shown()).toMatch(/d\s+e/);
    conversation.type(`${location}\n`);
    expect(await conversation.ended, conversation.shown()).toBe(0);
  });

  it("a password is asked for and not echoed", async () => {
    const conversation = inTerminal(home, ["login", ...options("--grant-type=password")]);
    await conversation.sees(/user name: /);
    conversation.type("ann\r");
    await conversation.sees(/password: /);
    conversation.type("hunter2-secret\r");
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(issuer.seen.find(({ path }) => path === "/token")?.form).toMatchObject({ username: "ann", password: "hunter2-secret" });
    expect(conversation.shown()).not.toContain("hunter2");
  });

  it("Ctrl-C while it waits for a paste ends it with INTERRUPTED", async () => {
    const conversation = inTerminal(home, ["login", ...options()]);
    await conversation.sees(/paste the code/);
    conversation.type("\u0003");
    expect(await conversation.ended, conversation.shown()).toBe(130);
    expect(conversation.shown()).toContain("[INTERRUPTED]");
  });
});
