import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasProgram } from "../programs.ts";
import { harmIn } from "../fakes/hostile-texts.ts";
import { programPath } from "./program.ts";
import { home, issuer, options, useStage } from "./stage.ts";

/** util-linux' `script` gives the program a terminal of its own. */
const hasScript = process.platform === "linux" && hasProgram("script");

useStage();

interface Conversation {
  /** All that the terminal showed so far. */
  shown(): string;
  sees(pattern: RegExp): Promise<RegExpExecArray>;
  type(text: string): void;
  readonly ended: Promise<number | null>;
}

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

function inTerminal(args: readonly string[], redirect = ""): Conversation {
  const command = [process.execPath, programPath, ...args].map(quoted).join(" ") + redirect;
  const child = spawn("script", ["-qefc", command, "/dev/null"], { env: { ...home.env, TERM: "xterm", SHELL: "/bin/sh" }, stdio: ["pipe", "pipe", "ignore"], cwd: home.folder });
  const timer = setTimeout(() => child.kill("SIGKILL"), 25_000);
  let text = "";
  const looks = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    for (const look of looks) look();
  });
  child.stdin.on("error", () => undefined);
  const ended = new Promise<number | null>((done) =>
    child.on("close", (status) => {
      clearTimeout(timer);
      done(status);
    }),
  );
  return {
    shown: () => text,
    sees: (pattern) =>
      new Promise((found, failed) => {
        const look = () => {
          const match = pattern.exec(text);
          if (match !== null) found(match);
        };
        looks.add(look);
        look();
        void ended.then(() => failed(new Error(`ended without ${pattern}:\n${text}`)));
      }),
    type: (line) => void child.stdin.write(line),
    ended,
  };
}

/** The redirected URL that the person would copy from the browser's address bar. */
async function redirected(conversation: Conversation): Promise<string> {
  const [, url = ""] = await conversation.sees(/open this URL in your browser:\s+(\S+)/);
  await conversation.sees(/paste the code/);
  return (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
}

describe.skipIf(!hasScript)(`on a terminal${hasScript ? "" : " (needs util-linux' script)"}`, () => {
  it("without a browser and without device codes, pasting takes their place, and that is said", async () => {
    issuer.play.discovery = ({ device_authorization_endpoint: _, ...rest }) => rest;
    const conversation = inTerminal(["login", ...options().filter((option) => option !== "--skip-open-browser")]);
    conversation.type(`${await redirected(conversation)}\n`);
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(conversation.shown()).toContain("no browser can be reached from here; use one elsewhere and paste what it shows");
  });

  it("login takes a pasted redirected URL beside the listener", async () => {
    const conversation = inTerminal(["login", ...options()]);
    conversation.type(`${await redirected(conversation)}\n`);
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(conversation.shown()).toContain("as ann@example.com");
  });

  it("authcode-keyboard takes the bare code, after what was not one", async () => {
    const conversation = inTerminal(["get-token", ...options("--grant-type=authcode-keyboard")], ` > ${quoted(join(home.folder, "out"))}`);
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
    const conversation = inTerminal(["login", ...options()]);
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
    const conversation = inTerminal(["login", ...options("--grant-type=password")]);
    await conversation.sees(/user name: /);
    conversation.type("ann\r");
    await conversation.sees(/password: /);
    conversation.type("hunter2-secret\r");
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(issuer.seen.find(({ path }) => path === "/token")?.form).toMatchObject({ username: "ann", password: "hunter2-secret" });
    expect(conversation.shown()).not.toContain("hunter2");
  });

  it("Ctrl-C while it waits for a paste ends it with INTERRUPTED", async () => {
    const conversation = inTerminal(["login", ...options()]);
    await conversation.sees(/paste the code/);
    conversation.type("\u0003");
    expect(await conversation.ended, conversation.shown()).toBe(130);
    expect(conversation.shown()).toContain("[INTERRUPTED]");
  });
});
