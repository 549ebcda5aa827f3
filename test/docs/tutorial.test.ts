import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accounts } from "../issuer/accounts.ts";
import { hasProgram } from "../programs.ts";
import { blocksOf } from "./pages.ts";

const page = "docs/tutorial/first-login.md";
const built = resolve(import.meta.dirname, "../../dist-dev");
/** What the page calls the demo's folder and addresses; a run has others when the ports are taken. */
const names = { folder: "/tmp/kubectl-oidc-demo-x4Kq2c", issuer: "https://localhost:9443", api: "https://localhost:9444" };

/** A command of the page, and what the page shows of its output. */
interface Step {
  readonly command: string;
  readonly shown: readonly string[];
}

const steps: readonly Step[] = blocksOf(page)
  .filter(({ language }) => language === "console")
  .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
  .map((part) => {
    const [command = "", ...shown] = part.trimEnd().split("\n");
    return { command, shown };
  });

const moment = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;
const sequence = (end: string) => new RegExp(`${String.fromCharCode(27)}\\[${end}`, "g");
/** What a terminal shows, without its colours; a line that is written over counts as one of its own. */
const plain = (text: string) => text.replace(sequence("1?G"), "\n").replace(sequence("[0-9;?]*[A-Za-z]"), "").replaceAll("\r", "");

/** Columns are as wide as what stands in them, which is another time and folder in each run. */
const evenly = (line: string) => line.trim().replace(/ {2,}/g, "  ").replace(moment, "TIME");

/** The lines of the page that the output lacks, in their order; `…` stands for anything, alone for any lines. */
function missingFrom(output: string, shown: readonly string[]): readonly string[] {
  const lines = output.split("\n").map(evenly);
  let at = 0;
  return shown.filter((line) => {
    if (line.trim() === "" || line === "…") return false;
    const pattern = new RegExp(
      `^${evenly(line)
        .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
        .replaceAll("…", ".*")}$`,
    );
    const found = lines.findIndex((text, i) => i >= at && pattern.test(text));
    if (found === -1) return true;
    at = found + 1;
    return false;
  });
}

// The demo is for a person: kubectl, and util-linux' `script` for a terminal, are what it takes to play one.
const canPlay = process.platform === "linux" && hasProgram("script") && hasProgram("kubectl") && hasProgram("bash");

describe.skipIf(!canPlay)(`the tutorial${canPlay ? "" : " (needs kubectl, bash and util-linux' script)"}`, () => {
  const home = mkdtempSync(join(tmpdir(), "kubectl-oidc-tutorial-"));
  let demo: ChildProcess;
  let said = "";
  let ended = false;
  const own = { folder: "", issuer: "", api: "" };
  const asInPage = (text: string) => text.replaceAll(own.folder, names.folder).replaceAll(own.issuer, names.issuer).replaceAll(own.api, names.api);
  const asHere = (text: string) => text.replaceAll(names.folder, own.folder).replaceAll(names.issuer, own.issuer);

  beforeAll(async () => {
    demo = spawn(process.execPath, [join(built, "demo.mjs"), "--interactive"], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise<void>((ready, failed) => {
      demo.on("exit", () => failed(new Error(`the demo ended:\n${said}`)));
      demo.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk;
        if (said.includes("Ctrl-C ends the demo")) ready();
      });
    });
    demo.on("exit", () => {
      ended = true;
    });
    own.folder = /\. (\S+)\/env/.exec(said)?.[1] ?? "";
    own.issuer = /^issuer\s+(\S+)/m.exec(said)?.[1] ?? "";
    own.api = /^API server\s+(\S+)/m.exec(said)?.[1] ?? "";
  }, 60_000);
  afterAll(async () => {
    if (!ended) await new Promise((done) => demo.once("exit", done).kill("SIGINT"));
    rmSync(home, { recursive: true, force: true });
  });

  /** What a person's terminal shows when they type the command, log in as alice when a browser opens, and answer `y` when they are asked. */
  function typed(command: string): Promise<{ readonly status: number | null; readonly shown: string }> {
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      LANG: "C.UTF-8",
      TERM: "xterm",
      SHELL: "/bin/sh",
      COLUMNS: "200",
      BROWSER: `'${process.execPath}' '${join(built, "browser-command.mjs")}'`,
      DEMO_CA_FILE: join(own.folder, "ca.pem"),
      DEMO_ACCOUNT: "alice",
      DEMO_PASSWORD: accounts.alice.password,
      // Other tests may hold the two ports that a person's browser is sent to.
      KUBECTL_OIDC_LISTEN_ADDRESS: "127.0.0.1:0",
    };
    const child = spawn("script", ["-qefc", `bash -c '. "$0/env"; eval "$1"' '${own.folder}' '${asHere(command).replaceAll("'", "'\\''")}'`, "/dev/null"], {
      env,
      stdio: ["pipe", "pipe", "ignore"],
    });
    let shown = "";
    let isAnswered = false;
    child.stdin.on("error", () => undefined);
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      shown += chunk;
      if (isAnswered || !shown.includes("[y/N]")) return;
      isAnswered = true;
      child.stdin.write("y\n");
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
    return new Promise((done) =>
      child.on("close", (status) => {
        clearTimeout(timer);
        done({ status, shown: asInPage(plain(shown)) });
      }),
    );
  }

  it("has the commands of a first session", () => {
    const all = steps.map(({ command }) => command).join("\n");
    for (const command of ["setup", "status", "whoami", "doctor", "logout"]) expect(all).toContain(`kubectl oidc ${command}`);
    expect(all).toContain("kubectl get pods");
  });
  it("begins with what the demo prints", () => {
    const [first] = steps;
    expect(first?.command).toBe("npm ci && npm run demo -- --interactive");
    expect(missingFrom(asInPage(said), first?.shown ?? [])).toEqual([]);
    const setup = steps.find(({ command }) => command.startsWith("kubectl oidc setup"));
    expect(asInPage(said)).toContain(`\n  ${setup?.command}\n`);
  });
  // One test: each command stands on those before it.
  it("shows what each of its commands prints", async () => {
    for (const { command, shown } of steps.slice(1)) {
      const ran = await typed(command);
      expect({ command, status: ran.status, missing: missingFrom(ran.shown, shown), shown: ran.shown }).toEqual({ command, status: 0, missing: [], shown: ran.shown });
    }
  }, 240_000);
});
