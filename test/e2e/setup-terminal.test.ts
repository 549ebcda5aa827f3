import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accounts } from "../issuer/accounts.ts";
import { type Conversation, hasScript, inTerminal } from "./conversation.ts";
import { handedOut, type SetupStage, setSetupStage } from "./setup-stage.ts";

let stage: SetupStage;
let before: string;
beforeEach(async () => {
  stage = await setSetupStage();
  before = handedOut(stage.api.url, stage.certificates.caFile);
  stage.write(before);
  stage.home.holdsSecrets("kubeconfig");
});
afterEach(() => stage.stop());

/** On a terminal with a browser that a program plays. */
const atTerminal = (args: readonly string[]): Conversation =>
  inTerminal(stage.home, args, {
    columns: 2_000,
    env: {
      PATH: `${join(stage.home.folder, "bin")}:${stage.home.env["PATH"] ?? ""}`,
      BROWSER: stage.browser,
      DEMO_CA_FILE: stage.certificates.caFile,
      DEMO_ACCOUNT: "alice",
      DEMO_PASSWORD: accounts.alice.password,
    },
  });
/** As a terminal of 100 columns folds it; the real one is wider, since folders and ports of one run have other lengths. */
const folded = (text: string) =>
  text
    .replaceAll(/^.{101,}$/gm, (line) => line.match(/.{1,100}/g)?.join("\n") ?? line)
    .replaceAll(/ +$/gm, "")
    .trimEnd();
const golden = (name: string) => resolve(import.meta.dirname, "../golden/terminal", name);
const backup = () => existsSync(`${stage.kubeconfig}.before-kubectl-oidc`);

describe.skipIf(!hasScript)(`on a terminal${hasScript ? "" : " (needs util-linux' script)"}`, () => {
  it("setup shows the plan, and writes it for whoever says yes", async () => {
    const args = ["setup", "--context", "prod", ...stage.identity];
    const conversation = atTerminal(args);
    await conversation.seesRow(/^kubectl-oidc: write this\? \[y\/N\]/);
    expect(stage.text()).toBe(before);
    conversation.type("y\n");
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(stage.text()).toContain("user: oidc-prod");
    const text = stage.neutral(conversation.screen().join("\n"));
    // The administrator's part has its golden file; what is drawn ends before it.
    const shown = text.slice(0, text.indexOf("for the cluster's administrator:"));
    const typed = stage.neutral(args.slice(0, 5).join(" "));
    await expect(`${folded(`$ kubectl oidc ${typed}\n${shown}`)}\n`).toMatchFileSnapshot(golden("setup.txt"));
  });

  it.each(["n\n", "\n", "yess\n"])("setup answered by %j writes nothing, and says so", async (answer) => {
    const conversation = atTerminal(["setup", ...stage.identity, "--non-interactive"]);
    await conversation.seesRow(/write this\? \[y\/N\]/);
    conversation.type(answer);
    expect(await conversation.ended).toBe(2);
    expect(conversation.shown()).toContain("you did not agree; the kubeconfig was not changed [CONFIRMATION_REQUIRED]");
    expect(stage.text()).toBe(before);
    expect(backup()).toBe(false);
  });

  it("setup that is cancelled at the question writes nothing", async () => {
    const conversation = atTerminal(["setup", ...stage.identity, "--non-interactive"]);
    await conversation.seesRow(/write this\? \[y\/N\]/);
    conversation.type("\u0003");
    expect(await conversation.ended).toBe(130);
    expect(stage.text()).toBe(before);
    expect(backup()).toBe(false);
  });

  it("--undo asks too", async () => {
    expect((await stage.setup([...stage.identity, "--yes", "--non-interactive"])).status).toBe(0);
    const written = stage.text();
    const refused = atTerminal(["setup", "--undo"]);
    await refused.seesRow(/put this back\? \[y\/N\]/);
    refused.type("n\n");
    expect(await refused.ended).toBe(2);
    expect(stage.text()).toBe(written);
    const conversation = atTerminal(["setup", "--undo"]);
    await conversation.seesRow(/put this back\? \[y\/N\]/);
    conversation.type("y\n");
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(stage.text()).toBe(before);
  });

  it("migrate asks before it touches anything", async () => {
    const kubelogin = before.replace(
      "    token: break-glass-token-of-the-administrator",
      `    exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: kubelogin, args: [get-token, ${stage.identity.map((arg) => JSON.stringify(arg)).join(", ")}]}`,
    );
    stage.write(kubelogin);
    const refused = atTerminal(["migrate"]);
    await refused.seesRow(/do this\? \[y\/N\]/);
    refused.type("n\n");
    expect(await refused.ended).toBe(2);
    expect(stage.text()).toBe(kubelogin);
    const conversation = atTerminal(["migrate"]);
    await conversation.seesRow(/do this\? \[y\/N\]/);
    conversation.type("yes\n");
    expect(await conversation.ended, conversation.shown()).toBe(0);
    expect(stage.text()).toContain("kubectl-oidc");
  });

  it("doctor says its findings in columns, the likeliest cause last", async () => {
    expect((await stage.setup([...stage.identity, "--yes"])).status).toBe(0);
    stage.api.refuseNext(9);
    const conversation = atTerminal(["doctor"]);
    expect(await conversation.ended, conversation.shown()).toBe(40);
    const text = stage.neutral(conversation.screen().join("\n")).replaceAll(/ +$/gm, "");
    const steady = text
      .replaceAll(/\d+(\.\d+)? (KiB|bytes)/g, "N $2")
      .replaceAll(/(Node )\d+\.\d+\.\d+/g, "$1VERSION")
      .replaceAll(/v\d+\.\d+\.\d+\S*/g, "VERSION")
      .split("\n")
      // What this machine is, and not what the person set up.
      .filter((line, i, all) => !/ D-2[12] /.test(line) && !(/^ +cure:/.test(line) && / D-2[12] /.test(all[i - 1] ?? "")))
      .join("\n")
      .replaceAll(/, \d+ with a warning/g, ", N with a warning")
      .replaceAll(/\(\/etc\S+\)/g, "(BUNDLE)")
      .replaceAll(/'\S+' '\S+browser-command.mjs'/g, "firefox");
    await expect(`${folded(`$ kubectl oidc doctor\n${steady}`)}\n`).toMatchFileSnapshot(golden("doctor.txt"));
  });
});
