import { resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { describeWith } from "../with-parts.ts";
import { type CallerStage, callerStage, expectNothingLeft, logins, refreshes, trusted } from "./caller-stage.ts";

const caller = resolve("test/real/callers/javascript.mjs");
const names = "web-5d8f,worker-7c21\n";

// It sends no KUBERNETES_EXEC_INFO, leaves the plugin's stdin open, and hands stderr on only when the plugin fails.
describeWith(["javascript-client"], () => {
  let stage: CallerStage;
  beforeEach(async () => {
    stage = await callerStage({ life: 4 });
  });
  afterEach(() => stage.stop());
  const ask = (rounds = 1, pauseMs = 0) => stage.call(process.execPath, [caller, String(rounds), String(pauseMs)]);

  it("tells nothing of its cluster, logs in by the browser with an open stdin, and ends by itself", async () => {
    expect(await ask()).toEqual({ status: 0, stdout: names, stderr: "" });
    expect(logins(stage)).toBe(1);
    expect(await trusted(stage)).not.toContain(stage.api.url);
    await expectNothingLeft(stage);
  });

  it("lives on through refreshes, each line whole and nothing between them", async () => {
    expect(await ask(4, 2_500)).toEqual({ status: 0, stdout: names.repeat(4), stderr: "" });
    expect(logins(stage)).toBe(1);
    expect(refreshes(stage)).toBeGreaterThanOrEqual(1);
  });

  it("is refused in words when nobody may be asked, and does not hang", async () => {
    stage.use(["--non-interactive"]);
    const ended = await ask();
    expect(ended.status).toBe(1);
    expect(ended.stdout).toBe("");
    expect(ended.stderr).toContain("[LOGIN_REQUIRED]");
    expect(logins(stage)).toBe(0);
    await expectNothingLeft(stage);
  });
});
