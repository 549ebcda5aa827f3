import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemBrowser } from "../../src/adapters/browser.ts";
import { splitCommand } from "../../src/core/split-command.ts";

describe("a command as text", () => {
  it.each<[string, readonly string[] | undefined]>([
    ["firefox", ["firefox"]],
    ["firefox --new-window", ["firefox", "--new-window"]],
    ["'/opt/my browser' -p \"a b\"", ["/opt/my browser", "-p", "a b"]],
    ["/opt/my\\ browser", ["/opt/my browser"]],
    ['C:\\Program\\x.exe "a\\"b"', ["C:\\Program\\x.exe", 'a"b']],
    ["", []],
    ["''", [""]],
    ["a; rm -rf $HOME `x` | y", ["a;", "rm", "-rf", "$HOME", "`x`", "|", "y"]],
    ["'open", undefined],
  ])("%s", (text, words) => expect(splitCommand(text)).toEqual(words));
});

describe("the browser", () => {
  let folder: string;
  let program: string;
  const log = () => join(folder, "log");
  const url = "https://id.example.com/authorize?a=b&c=%s;$(x)";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-browser-"));
    program = join(folder, "browser");
    writeFileSync(program, `#!/bin/sh\nfor a in "$@"; do echo "$a"; done > ${folder}/log.tmp\nmv ${folder}/log.tmp ${folder}/log\n`);
    chmodSync(program, 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function arguments_(): Promise<readonly string[]> {
    for (let tries = 0; tries < 250 && !existsSync(log()); tries++) await new Promise((done) => setTimeout(done, 20));
    return readFileSync(log(), "utf8").trim().split("\n");
  }

  it("of --browser-command gets the URL as one argument, without a shell", async () => {
    expect(await systemBrowser({ command: `${program} --new`, env: {}, platform: "linux" }).open(url)).toBe(true);
    expect(await arguments_()).toEqual(["--new", url]);
  });
  it("gets it in the place of %s", async () => {
    await systemBrowser({ command: `${program} --url=%s --last`, env: {}, platform: "linux" }).open(url);
    expect(await arguments_()).toEqual([`--url=${url}`, "--last"]);
  });
  it("of $BROWSER is the first of the list that starts", async () => {
    expect(await systemBrowser({ command: undefined, env: { BROWSER: `/nowhere/browser:${program}` }, platform: "linux" }).open(url)).toBe(true);
    expect(await arguments_()).toEqual([url]);
  });
  it("that was chosen and does not start is said, not replaced", async () => {
    expect(await systemBrowser({ command: "/nowhere/browser", env: { BROWSER: program, DISPLAY: ":9" }, platform: "linux" }).open(url)).toBe(false);
    expect(existsSync(log())).toBe(false);
  });
  it("is there with a display or a command, and not without", () => {
    const available = (env: Record<string, string>, platform = "linux", command?: string) => systemBrowser({ command, env, platform }).available();
    expect(available({})).toBe(false);
    expect(available({ DISPLAY: ":0" })).toBe(true);
    expect(available({ WAYLAND_DISPLAY: "w" })).toBe(true);
    expect(available({ BROWSER: "firefox" })).toBe(true);
    expect(available({}, "linux", "firefox")).toBe(true);
    expect(available({}, "darwin")).toBe(true);
    expect(available({ SSH_CONNECTION: "x" }, "darwin")).toBe(false);
    expect(available({}, "win32")).toBe(true);
  });
});
