import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// What a real terminal does (raw mode, echo, Ctrl-C) is in test/e2e/terminal.test.ts.
const root = resolve(import.meta.dirname, "../..");
let folder: string;
let program: string;

/** A program that does with a terminal what its argument says. */
const contents = `
  import { terminal } from ${JSON.stringify(join(root, "src/adapters/terminal.ts"))};
  const person = terminal({ verbosity: Number(process.argv[3]) });
  const stop = new AbortController();
  const ask = (hidden = false) => person.ask("name\\u001b[31m: ", { hidden, signal: stop.signal }).then((line) => "line " + line.length + " " + line.slice(0, 20), (error) => error.code);
  const doing = {
    say: async () => {
      person.say("a\\u001b]0;title\\u0007b\\u202ec\\rd\\ne █▀▄ é");
      for (const text of ["one", "two", "one"]) person.warn(text);
      for (const level of [1, 4, 8]) person.log(level, "level " + level);
      console.log(person.stdinIsTerminal, person.stderrIsTerminal);
    },
    flood: async () => {
      for (let i = 0; i < 20_000; i++) person.say("x".repeat(100));
      console.log("done");
    },
    wait: async () => {
      console.log("ready");
      await new Promise((done) => process.stdin.once("data", done));
      process.stdin.pause();
      for (let i = 0; i < 10; i++) person.say("nobody reads this");
      console.log("alive");
    },
    ask: async () => console.log(await ask()),
    waiting: async () => {
      let left = 9;
      const line = person.waiting(() => "waiting \u001b[2J" + left--);
      person.say("a line");
      line.end();
      const asked = person.ask("name: ", { hidden: false, signal: stop.signal, above: () => "waiting " + left-- });
      stop.abort();
      console.log(await asked.catch((error) => error.code), person.columns);
    },
    hidden: async () => console.log(await ask(true)),
    twice: async () => {
      console.log(await ask());
      console.log(await ask());
    },
    abort: async () => {
      const asked = ask();
      stop.abort();
      console.log(await asked, await ask());
    },
  };
  doing[process.argv[2]]();
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-terminal-"));
  program = join(folder, "program.cjs");
  await build({ stdin: { contents, resolveDir: root, loader: "ts" }, bundle: true, platform: "node", format: "cjs", outfile: program, logLevel: "error" });
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(what: string, verbosity = 0): { readonly child: ChildProcessWithoutNullStreams; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [program, what, String(verbosity)], { timeout: 20_000, killSignal: "SIGKILL" });
  let stdout = "";
  let stderr = "";
  child.stdin.on("error", () => undefined);
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    stdout += chunk;
  });
  if (what !== "flood") {
    child.stderr.setEncoding("utf8").on("data", (chunk) => {
      stderr += chunk;
    });
  }
  // "exit", since nobody reads what a flood left in the pipe; stdout has ended before where it is looked at.
  const ended = new Promise<Ended>((done) => child.once(what === "flood" ? "exit" : "close", (status) => done({ status, stdout, stderr })));
  return { child, ended };
}

describe("lines for the person", () => {
  it("go to stderr only, without control characters, warnings once [TE-01]", async () => {
    expect(await run("say").ended).toEqual({
      status: 0,
      stdout: "false false\n",
      stderr: "a ]0;title b c d e █▀▄ é\nkubectl-oidc: warning: one\nkubectl-oidc: warning: two\n",
    });
  });

  it.each([
    [1, ["level 1"]],
    [4, ["level 1", "level 4"]],
    [9, ["level 1", "level 4", "level 8"]],
  ])("with -v%i tell more", async (verbosity, levels) => {
    const { stderr } = await run("say", verbosity).ended;
    expect(stderr.split("\n").filter((line) => line.includes("level"))).toEqual(levels.map((level) => `kubectl-oidc: ${level}`));
  });

  it("that nobody reads do not hold the program up", async () => {
    expect(await run("flood").ended).toMatchObject({ status: 0 });
  });

  it("whose reader is gone do not end the program", async () => {
    const { child, ended } = run("wait");
    await new Promise((ready) => child.stdout.once("data", ready));
    child.stderr.destroy();
    child.stdin.end("go on\n");
    expect(await ended).toMatchObject({ status: 0, stdout: "ready\nalive\n" });
  });
});

it("a line that counts is said once where there is no terminal, and nothing is written over", async () => {
  expect(await run("waiting").ended).toEqual({ status: 0, stdout: "INTERRUPTED 0\n", stderr: "waiting  [2J9\na line\nwaiting 8\nname: \n" });
});

describe("a question", () => {
  it("is asked on stderr and answered with one line of stdin, and then stdin keeps nobody waiting", async () => {
    const { child, ended } = run("ask");
    // Stays open: the program must end by itself.
    child.stdin.write("ann\r\nmore\n");
    expect(await ended).toEqual({ status: 0, stdout: "line 3 ann\n", stderr: "name [31m: " });
  });

  it("that is hidden is not echoed", async () => {
    const { child, ended } = run("hidden");
    child.stdin.write("hunter2\n");
    const { stdout, stderr } = await ended;
    expect(stdout).toBe("line 7 hunter2\n");
    expect(stderr).not.toContain("hunter2");
  });

  it("takes 64 KiB at most", async () => {
    const { child, ended } = run("ask");
    child.stdin.end(`${"x".repeat(100_000)}\n`);
    expect((await ended).stdout).toBe(`line 65536 ${"x".repeat(20)}\n`);
  });

  it("may be followed by another", async () => {
    const { child, ended } = run("twice");
    let asked = 0;
    child.stderr.on("data", (chunk: string) => {
      for (let at = chunk.indexOf("name"); at !== -1; at = chunk.indexOf("name", at + 1)) child.stdin.write(`answer${++asked}\n`);
    });
    expect((await ended).stdout).toBe("line 7 answer1\nline 7 answer2\n");
  });

  it("ends with INTERRUPTED at the end of the input", async () => {
    const { child, ended } = run("ask");
    child.stdin.end();
    expect(await ended).toMatchObject({ status: 0, stdout: "INTERRUPTED\n" });
  });

  it("ends with INTERRUPTED when the signal aborts, before or after it is asked, with an open stdin", async () => {
    expect(await run("abort").ended).toMatchObject({ status: 0, stdout: "INTERRUPTED INTERRUPTED\n" });
  });
});
