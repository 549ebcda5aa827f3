import { dirname, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { describeWith } from "../with-parts.ts";
import { type CallerStage, callerStage, expectNothingLeft, logins, refreshes, trusted } from "./caller-stage.ts";

const caller = resolve("test/real/callers/python_caller.py");
const names = "web-5d8f,worker-7c21\n";

// It starts the plugin with the stdin that it has itself, and reads stderr only to put it into its exception.
describeWith(["python-client"], (parts) => {
  let stage: CallerStage;
  beforeEach(async () => {
    stage = await callerStage({ life: 4 });
  });
  afterEach(() => stage.stop());
  const ask = (rounds = 1, pause = 0) =>
    stage.call("python3", [caller, String(rounds), String(pause)], { PYTHONPATH: dirname(parts["python-client"].path), PYTHONDONTWRITEBYTECODE: "1" });

  it("logs in by the browser, and is told which cluster the login is for", async () => {
    const ended = await ask();
    expect(ended, ended.stderr).toMatchObject({ status: 0, stdout: names });
    expect(logins(stage)).toBe(1);
    expect(await trusted(stage)).toContain(stage.api.url);
    await expectNothingLeft(stage);
  });

  it("lives on through refreshes, each line whole and nothing between them", async () => {
    const ended = await ask(4, 2.5);
    expect(ended, ended.stderr).toMatchObject({ status: 0, stdout: names.repeat(4) });
    expect(logins(stage)).toBe(1);
    expect(refreshes(stage)).toBeGreaterThanOrEqual(1);
  });

  it("is refused in words when nobody may be asked, and does not hang", async () => {
    stage.use(["--non-interactive"]);
    const ended = await ask();
    expect(ended.status).not.toBe(0);
    expect(ended.stdout).toBe("");
    expect(ended.stderr).toContain("[LOGIN_REQUIRED]");
    expect(logins(stage)).toBe(0);
    await expectNothingLeft(stage);
  });
});
