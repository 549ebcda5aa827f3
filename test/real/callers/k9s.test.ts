import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { secretsIn } from "../../canaries.ts";
import { hasScript, quoted } from "../../e2e/conversation.ts";
import { describeWith } from "../with-parts.ts";
import { type CallerStage, callerStage, expectNothingLeft, logins, refreshes } from "./caller-stage.ts";
import { pictureOf } from "./picture.ts";

const size = { columns: 120, rows: 40 };

interface Screen {
  /** All that the terminal was sent. */
  readonly sent: () => string;
  /** What it shows now. */
  readonly picture: () => readonly string[];
  /** Has its window another width. */
  readonly resize: (columns: number) => void;
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

  /** `redirect`: `2> file`. */
  function start(redirect = ""): Screen {
    const log = join(stage.home.folder, "k9s.log");
    const words = [parts.k9s.path, "--readonly", "--namespace=default", "--command=pods", `--logFile=${log}`];
    const terminal = join(stage.home.folder, "terminal");
    const command = `tty > ${quoted(terminal)}; stty cols ${size.columns} rows ${size.rows}; exec ${words.map(quoted).join(" ")} ${redirect}`;
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
    return {
      sent: () => text,
      picture: () => pictureOf(text, size),
      resize: (columns) => void execFileSync("stty", ["-F", readFileSync(terminal, "utf8").trim(), "cols", String(columns)]),
      type: (typed) => void child.stdin.write(typed),
      ended: new Promise((done) => child.on("close", done)),
    };
  }
  const shows = (screen: Screen, what: string | RegExp) => expect.poll(() => screen.picture().join("\n"), { timeout: 40_000, interval: 100 }).toMatch(what);
  /** The picture without ages and other numbers, and without the last row, where k9s says what it just did. */
  const lasting = (screen: Screen) =>
    screen
      .picture()
      .slice(0, -1)
      .map((row) => row.replaceAll(/\d+/g, "#").replaceAll(/ +/g, " "));
  /** The same when k9s has drawn all that it knows: for half a second nothing in it has changed. */
  async function atRest(screen: Screen): Promise<readonly string[]> {
    await shows(screen, "web-5d8f");
    const seen: string[] = [];
    await expect.poll(() => seen.push(lasting(screen).join("\n")) > 1 && seen.at(-1) === seen.at(-2), { timeout: 20_000, interval: 500 }).toBe(true);
    return lasting(screen);
  }

  async function quit(screen: Screen): Promise<void> {
    screen.type(":quit\r");
    expect(await screen.ended).toBe(0);
    expect(secretsIn(screen.sent())).toEqual([]);
    await expectNothingLeft(stage);
  }

  it.skipIf(!hasScript)("logged in before, shows the pods, lives on through refreshes, and nothing of the plugin's is in its picture", async () => {
    const login = await stage.home.run(["login", "--context=demo"], stage.env);
    expect(login.status, login.stderr).toBe(0);
    const screen = start();
    await shows(screen, "web-5d8f");
    await expect.poll(() => refreshes(stage), { timeout: 40_000 }).toBeGreaterThanOrEqual(2);
    expect(screen.sent()).not.toContain("kubectl-oidc:");
    expect(logins(stage)).toBe(1);
    await quit(screen);
  });

  it.skipIf(!hasScript)("logs in by the browser when it starts, once, for all that it asks at once: what is said comes before its picture", async () => {
    const screen = start();
    await shows(screen, "web-5d8f");
    expect(logins(stage)).toBe(1);
    expect(screen.sent().split("kubectl-oidc:")).toHaveLength(3);
    expect(screen.sent().lastIndexOf("kubectl-oidc:")).toBeLessThan(screen.sent().indexOf("\u001b[?1049h"));
    expect(screen.picture().join("\n")).not.toContain("kubectl-oidc");
    await quit(screen);
  });

  it.skipIf(!hasScript)("whose session ends while it runs logs in from within: two lines land in its picture, which a window of another width makes whole", async () => {
    const screen = start();
    const before = await atRest(screen);
    const from = screen.sent().length;
    stage.provider.revokeEverything();
    await shows(screen, "open this URL in your browser");
    await expect.poll(() => logins(stage), { timeout: 40_000 }).toBe(2);
    expect(
      screen
        .sent()
        .slice(from)
        .match(/kubectl-oidc: .*\n/g),
    ).toEqual([expect.stringContaining("logging in to"), expect.stringContaining("open this URL")]);
    // Nor does its own key for a fresh view help, which asks the server only.
    screen.type("\u0012");
    await shows(screen, "Refreshing");
    expect(screen.picture().join("\n")).toContain("open this URL");
    screen.resize(size.columns - 1);
    await expect.poll(() => screen.picture().join("\n"), { timeout: 10_000 }).not.toContain("open this URL");
    screen.resize(size.columns);
    await expect.poll(() => lasting(screen), { timeout: 10_000 }).toEqual(before);
    await quit(screen);
  });

  it.skipIf(!hasScript)("with its stderr in a file logs in from within, and its picture stays whole: the lines are in the file", async () => {
    const file = join(stage.home.folder, "said");
    const screen = start(`2> ${quoted(file)}`);
    const before = await atRest(screen);
    stage.provider.revokeEverything();
    await expect.poll(() => logins(stage), { timeout: 40_000 }).toBe(2);
    await expect.poll(() => refreshes(stage), { timeout: 40_000 }).toBeGreaterThanOrEqual(1);
    expect(lasting(screen)).toEqual(before);
    expect(screen.sent()).not.toContain("kubectl-oidc:");
    const said = readFileSync(file, "utf8");
    expect(said.match(/open this URL/g)).toHaveLength(2);
    expect(secretsIn(said)).toEqual([]);
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
