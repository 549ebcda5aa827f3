import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type JsonShape, jsonShapes } from "../../docs/generate/json-shapes.ts";
import { type CommandName, commandRow, commandTable } from "../../src/cli/command-table.ts";
import { onDoctorStage } from "../e2e/doctor-stage.ts";
import { browse, execInfo, openUrl, runWithBrowser } from "../e2e/program.ts";
import { home, issuer, options, session, useStage } from "../e2e/stage.ts";
import { differences } from "./shape.ts";

/** Print nothing on stdout: `-o json` is for their errors. */
const silent: readonly string[] = ["logout"];

function shape(title: string): JsonShape {
  const found = jsonShapes.find((one) => one.title === title);
  if (found === undefined) throw new Error(`docs/reference/json.md has no ${title}`);
  return found;
}
/** Every line of a command's stdout. */
const values = (text: string): readonly unknown[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);

describe("docs/reference/json.md", () => {
  it.each(jsonShapes.map(({ title }) => title))("%s: its example is what it says", (title) => expect(differences(shape(title).example, shape(title))).toEqual([]));

  it("says something of every command that prints JSON", () => {
    const printing = (Object.keys(commandTable) as CommandName[]).filter((name) => commandRow(name).outputs.includes("json") && !silent.includes(name));
    for (const name of [...printing, "get-token"])
      expect(
        jsonShapes.some(({ command }) => command === name),
        name,
      ).toBe(true);
  });

  it("is held against values: what is missing, new or of another kind is found", () => {
    const status = shape("status -o json");
    const [one] = (status.example as { readonly sessions: readonly object[] }).sessions;
    expect(differences({ sessions: [{ ...one, more: 1, scopes: "groups", tokenExpiresAt: "soon", state: null }], other: true }, status)).toEqual([
      "other is not documented",
      "sessions[].more is not documented",
      "sessions[].scopes is not of the kind texts",
      "sessions[].tokenExpiresAt is not of the kind time",
      "sessions[].state is null",
    ]);
    expect(differences({}, status)).toEqual(["sessions is missing"]);
    expect(differences([], status)).toEqual(["it is no object"]);
  });
});

describe("what the program prints is what docs/reference/json.md says", () => {
  useStage();

  it("login by browser and by device code", async () => {
    const started = home.start(["login", ...options(), "-o", "json"]);
    const [, url = ""] = await started.sees(openUrl);
    await browse(url);
    const [opened, done, ...none] = values((await started.ended).stdout);
    expect(differences(opened, shape("login -o json: url"))).toEqual([]);
    expect(differences(done, shape("login -o json: done"))).toEqual([]);
    expect(none).toEqual([]);
    const [code, ended] = values((await home.run(["login", ...options("--grant-type=device-code"), "-o", "json"])).stdout);
    expect(differences(code, shape("login -o json: code"))).toEqual([]);
    expect(differences(ended, shape("login -o json: done"))).toEqual([]);
  });

  it("an error, as an event and as the last line of stderr", async () => {
    issuer.play.discovery = () => ({ status: 404, body: "gone" });
    const ended = await home.run(["login", ...options(), "-o=json"]);
    const [event] = values(ended.stdout);
    expect(differences(event, shape("login -o json: error"))).toEqual([]);
    expect(differences(values(ended.stderr).at(-1), shape("An error"))).toEqual([]);
  });

  it("get-token, token, status and trust", async () => {
    const config = {
      contexts: [{ name: "prod", context: { cluster: "c", user: "u" } }],
      clusters: [{ name: "c", cluster: { server: "https://k8s.example.com:6443" } }],
      users: [{ name: "u", user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "kubectl-oidc", args: session() } } }],
    };
    writeFileSync(join(home.folder, "kubeconfig"), JSON.stringify(config));
    const credential = await runWithBrowser(home, session("--oidc-extra-scope=groups"), { KUBERNETES_EXEC_INFO: execInfo({ server: "https://k8s.example.com:6443" }) });
    expect(differences(values(credential.stdout)[0], shape("get-token"))).toEqual([]);
    await runWithBrowser(home, ["login", "--context=prod", "--skip-open-browser"]);
    for (const [title, args] of [
      ["token -o json", ["token", "--context=prod", "-o=json"]],
      ["status -o json", ["status", "-o=json"]],
      ["trust -o json", ["trust", "list", "--context=prod", "-o=json"]],
      ["version -o json", ["version", "-o=json"]],
    ] as const) {
      const ended = await home.run(args);
      expect(ended.status, ended.stderr).toBe(0);
      expect(differences(values(ended.stdout)[0], shape(title)), title).toEqual([]);
    }
    const { sessions } = values((await home.run(["status", "-o=json"])).stdout)[0] as { readonly sessions: readonly unknown[] };
    expect(sessions).toHaveLength(2);
    const { servers } = values((await home.run(["trust", "list", "--context=prod", "-o=json"])).stdout)[0] as { readonly servers: readonly unknown[] };
    expect(servers).toHaveLength(1);
  });
});

it("setup prints what docs/reference/json.md says, planned, done and undone", async () => {
  await onDoctorStage(async ({ home: patient, issuer: provider }) => {
    const session = [`--oidc-issuer-url=${provider.issuer}`, "--oidc-client-id=kubernetes", "--token-cache-storage=disk", "--listen-address=127.0.0.1:0", "--skip-open-browser"];
    const args = ["setup", ...session, "--context=prod", "--user=other", "-o=json"];
    const planned = await patient.run([...args, "--dry-run"]);
    expect(planned.status, planned.stderr).toBe(0);
    expect(differences(values(planned.stdout)[0], shape("setup -o json"))).toEqual([]);
    expect(values(planned.stdout)[0]).toMatchObject({ claims: null, written: false, changes: [expect.anything()] });
    const done = await runWithBrowser(patient, [...args, "--yes"]);
    expect(done.status, done.stderr).toBe(0);
    expect(differences(values(done.stdout)[0], shape("setup -o json"))).toEqual([]);
    expect(values(done.stdout)[0]).toMatchObject({ claims: { sub: expect.any(String) }, written: true, changes: [expect.anything()] });
    const undone = await patient.run(["setup", "--undo", "--yes", "--context=prod", "-o=json"]);
    expect(undone.status, undone.stderr).toBe(0);
    expect(differences(values(undone.stdout)[0], shape("setup --undo -o json"))).toEqual([]);
    expect(values(undone.stdout)[0]).toMatchObject({ written: true, changes: [expect.anything()] });
  });
});

it("migrate prints what docs/reference/json.md says, planned and done", async () => {
  await onDoctorStage(async ({ home: patient, issuer: provider, use }) => {
    use({ exec: { command: "kubelogin", args: ["get-token", `--oidc-issuer-url=${provider.issuer}`, "--oidc-client-id=kubernetes", "--tls-renegotiation-once"] } });
    for (const [how, written] of [
      ["--dry-run", false],
      ["--yes", true],
    ] as const) {
      const ended = await patient.run(["migrate", how, "-o=json"]);
      expect(ended.status, ended.stderr).toBe(0);
      expect(differences(values(ended.stdout)[0], shape("migrate -o json"))).toEqual([]);
      expect(values(ended.stdout)[0]).toMatchObject({ written, users: [{ kind: "kubelogin", contexts: ["prod"], losses: [expect.any(String)] }], changes: [expect.anything()] });
    }
  });
});

it("doctor and whoami print what docs/reference/json.md says, whatever the API server answers", async () => {
  await onDoctorStage(async ({ home: patient, api, logIn, doctor }) => {
    await logIn();
    for (const answer of [["oidc:ann", "dev"], 401, 404] as const) {
      api.answer = answer;
      const { checks } = await doctor();
      expect(differences({ checks }, shape("doctor -o json"))).toEqual([]);
      const [found] = values((await patient.run(["whoami", "-o=json"])).stdout);
      expect(differences(found, shape("whoami -o json"))).toEqual([]);
    }
  });
});
