import { afterEach, beforeEach, expect, it } from "vitest";
import { describeWith } from "../with-parts.ts";
import { type CallerStage, callerStage, expectNothingLeft, logins } from "./caller-stage.ts";

describeWith(["helm"], (parts) => {
  let stage: CallerStage;
  beforeEach(async () => {
    stage = await callerStage();
  });
  afterEach(() => stage.stop());
  const list = () => stage.call(parts.helm.path, ["list", "--output=json"]);

  it("logs in, and its JSON is whole; the next call is silent", async () => {
    const first = await list();
    expect(first, first.stderr).toMatchObject({ status: 0 });
    expect(JSON.parse(first.stdout)).toEqual([]);
    expect(await list()).toEqual({ ...first, stderr: "" });
    expect(logins(stage)).toBe(1);
    await expectNothingLeft(stage);
  });

  it("is refused in words when nobody may be asked", async () => {
    stage.use(["--non-interactive"]);
    const ended = await list();
    expect(ended).toMatchObject({ status: 1, stdout: "" });
    expect(ended.stderr).toContain("[LOGIN_REQUIRED]");
    await expectNothingLeft(stage);
  });
});
