import { spawn } from "node:child_process";
import { afterEach, beforeEach, expect, it } from "vitest";
import { describeWith } from "../with-parts.ts";
import { type CallerStage, callerStage, expectNothingLeft, leftBehind, logins, refreshes } from "./caller-stage.ts";

const names = "web-5d8f,worker-7c21\n";

// As controllers are: one process that lives on, with many requests at once, which keeps the credential until the time that it was told.
describeWith(["client-go"], (parts) => {
  let stage: CallerStage;
  beforeEach(async () => {
    stage = await callerStage({ life: 4 });
  });
  afterEach(() => stage.stop());
  const path = () => parts["client-go"].path;

  it("logs in once for eight requests at once", async () => {
    const ended = await stage.call(path(), ["-parallel=8"]);
    expect(ended, ended.stderr).toMatchObject({ status: 0, stdout: names.repeat(8) });
    expect(logins(stage)).toBe(1);
    await expectNothingLeft(stage);
  });

  it("lives on through refreshes: no further login, and nothing on stderr but the first login's lines", async () => {
    expect((await stage.call(path(), [])).status).toBe(0);
    const ended = await stage.call(path(), ["-rounds=5", "-parallel=4", "-pause=2s"]);
    expect(ended).toEqual({ status: 0, stdout: names.repeat(20), stderr: "" });
    expect(logins(stage)).toBe(1);
    expect(refreshes(stage)).toBeGreaterThanOrEqual(2);
  });

  it("whose token the server refuses once loses one request, and heals in the same process", async () => {
    expect((await stage.call(path(), [])).status).toBe(0);
    stage.api.refuseNext(1);
    const ended = await stage.call(path(), ["-rounds=3", "-pause=300ms"]);
    expect(ended.stdout).toBe(names.repeat(2));
    expect(ended.stderr).toBe("client-go-caller: Unauthorized\n");
    expect(logins(stage)).toBe(1);
  });

  it("is refused in words when nobody may be asked", async () => {
    stage.use(["--non-interactive"]);
    const ended = await stage.call(path(), []);
    expect(ended).toMatchObject({ status: 1, stdout: "" });
    expect(ended.stderr).toContain("[LOGIN_REQUIRED]");
    expect(ended.stderr).toContain("exit code 20");
    await expectNothingLeft(stage);
  });

  it("killed while a person thinks takes the plugin along", async () => {
    stage.use(["--browser-command=true"]);
    const child = spawn(path(), [], { env: stage.env, cwd: stage.home.folder, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    await expect.poll(() => said, { timeout: 20_000 }).toContain("open this URL");
    expect(leftBehind(stage).length).toBeGreaterThanOrEqual(2);
    child.kill("SIGKILL");
    await expectNothingLeft(stage);
  });
});
