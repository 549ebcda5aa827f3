import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { secretsIn } from "../../canaries.ts";
import { hasScript, quoted } from "../../e2e/conversation.ts";
import { describeWith } from "../with-parts.ts";
import { type CallerStage, callerStage, expectNothingLeft, logins, refreshes } from "./caller-stage.ts";

/** What a terminal was sent, without the sequences that move its cursor and colour its letters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they begin with
const plain = (bytes: string) => bytes.replace(/\u001b(?:\[[0-9;?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78])/g, "");

interface Screen {
  readonly shown: () => string;
  readonly type: (text: string) => void;
  readonly ended: Promise<number | null>;
}

// A whole screen of somebody else's, whose terminal the plugin has for stderr.
describeWith(["k9s"], (parts) => {
  let stage: CallerStage;
  let running: (() => void) | undefined;
  beforeEach(async () => {
    stage = await callerStage({ life: 6 });
  });
  afterEach(async () => {
    running?.();
    await stage.stop();
  });

  function start(): Screen {
    const log = join(stage.home.folder, "k9s.log");
    const words = [parts.k9s.path, "--readonly", "--namespace=default", "--command=pods", `--logFile=${log}`];
    const command = `stty cols 120 rows 40; exec ${words.map(quoted).join(" ")}`;
    const child = spawn("script", ["-qefc", command, "/dev/null"], {
      env: { ...stage.env, TERM: "xterm-256color", SHELL: "/bin/sh", XDG_STATE_HOME: join(stage.home.folder, "state") },
      cwd: stage.home.folder,
      stdio: ["pipe", "pipe", "ignore"],
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    running = () => child.kill("SIGKILL");
    child.stdin.on("error", () => undefined);
    return { shown: () => plain(text), type: (typed) => void child.stdin.write(typed), ended: new Promise((done) => child.on("close", done)) };
  }
  const shows = (screen: Screen, what: string | RegExp) => expect.poll(screen.shown, { timeout: 40_000, interval: 100 }).toMatch(what);

  async function quit(screen: Screen): Promise<void> {
    screen.type(":quit\r");
    expect(await screen.ended).toBe(0);
    expect(secretsIn(screen.shown())).toEqual([]);
    await expectNothingLeft(stage);
  }

  it.skipIf(!hasScript)("logged in before, shows the pods, lives on through refreshes, and nothing of the plugin's is in its picture", async () => {
    const login = await stage.home.run(["login", "--context=demo"], stage.env);
    expect(login.status, login.stderr).toBe(0);
    const screen = start();
    await shows(screen, "web-5d8f");
    await expect.poll(() => refreshes(stage), { timeout: 40_000 }).toBeGreaterThanOrEqual(2);
    expect(screen.shown()).not.toContain("kubectl-oidc:");
    expect(logins(stage)).toBe(1);
    await quit(screen);
  });

  it.skipIf(!hasScript)("logs in by the browser from within, once, for all that it asks at once", async () => {
    const screen = start();
    await shows(screen, "web-5d8f");
    expect(logins(stage)).toBe(1);
    await quit(screen);
  });

  it.skipIf(!hasScript)("without a session says why, and ends with its terminal", async () => {
    stage.use(["--non-interactive"]);
    const screen = start();
    await shows(screen, /LOGIN_REQUIRED/);
    running?.();
    await screen.ended;
    expect(logins(stage)).toBe(0);
    await expectNothingLeft(stage);
  });
});
