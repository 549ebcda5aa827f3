import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readConfiguration } from "../../src/adapters/configuration.ts";
import { applyHardening, planHardening } from "../../src/adapters/hardening.ts";
import type { Places } from "../../src/adapters/paths.ts";
import { codeOf } from "../fakes/codes.ts";

let folder: string;
let where: Places;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-hardening-"));
  where = {
    data: join(folder, "data"),
    config: join(folder, "moved"),
    machineConfig: join(folder, "machine", "config.yaml"),
    home: folder,
    fixed: { config: join(folder, "home", "kubectl-oidc"), data: join(folder, "home-data") },
  };
  for (const name of ["machine", "moved", "home"]) mkdirSync(join(folder, name), { mode: 0o700 });
});
afterEach(() => rmSync(folder, { recursive: true }));

const pins = { issuers: ["https://id.example.com"], clientIds: ["kubernetes"] };
const program = "/usr/local/bin/kubectl-oidc";
const atHome = () => join(folder, "home", "kubectl-oidc", "config.yaml");
function writeAtHome(text: string): void {
  mkdirSync(join(folder, "home", "kubectl-oidc"), { recursive: true, mode: 0o700 });
  writeFileSync(atHome(), text, { mode: 0o600 });
}

describe("setup --harden", () => {
  it("turns strict on in the file that no variable moves, with what the person uses in the list, and changes nothing before it is told", () => {
    const plan = planHardening(where, pins, program);
    expect(plan).toMatchObject({ file: atHome(), changes: true });
    expect(readConfiguration(where, {}).fixed).toEqual([]);
    applyHardening(plan);
    expect(parse(readFileSync(atHome(), "utf8"))).toEqual({ strict: true, allow: { "oidc-issuer-url": ["https://id.example.com"], "oidc-client-id": ["kubernetes"] } });
    expect([statSync(atHome()).mode & 0o777, statSync(join(atHome(), "..")).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(readConfiguration(where, { KUBECTL_OIDC_CONFIG: "/nonexistent" })).toMatchObject({ fixed: [{ strict: true }], isUsersOwn: false });
    expect(planHardening(where, pins, program).changes).toBe(false);
  });

  it.each([
    ["", { strict: true }],
    ["# only words\n", { strict: true }],
    ["strict: false # for now\ndefaults:\n  max-age: 60\n", { strict: true, defaults: { "max-age": 60 } }],
    ["allow:\n  browser-command: [firefox]\n  oidc-client-id: another\n", { strict: true, allow: { "browser-command": ["firefox"], "oidc-client-id": ["another", "kubernetes"] } }],
  ])("keeps what %j holds, comments included", (text, wanted) => {
    writeAtHome(text);
    const plan = planHardening(where, pins, program);
    expect(parse(plan.text)).toMatchObject(wanted);
    expect(parse(plan.text).allow["oidc-issuer-url"]).toEqual(pins.issuers);
    for (const comment of text.match(/#.*/g) ?? []) expect(plan.text).toContain(comment);
  });

  it("writes through a link to where the person keeps the file", () => {
    writeFileSync(join(folder, "dotfile.yaml"), "audit: true\n", { mode: 0o600 });
    mkdirSync(join(folder, "home", "kubectl-oidc"), { mode: 0o700 });
    symlinkSync(join(folder, "dotfile.yaml"), atHome());
    applyHardening(planHardening(where, pins, program));
    expect(parse(readFileSync(join(folder, "dotfile.yaml"), "utf8"))).toMatchObject({ audit: true, strict: true });
  });

  it("does not touch a file that is no configuration, or that others may write", () => {
    writeAtHome("colour: blue\n");
    expect(codeOf(() => planHardening(where, pins, program))).toBe("SETTINGS_INVALID");
    writeAtHome("strict: false\n");
    chmodSync(atHome(), 0o666);
    expect(codeOf(() => planHardening(where, pins, program))).toBe("STORE_UNSAFE");
  });

  it("a folder that cannot be made is STORE_UNWRITABLE, one of others STORE_UNSAFE", () => {
    const plan = planHardening({ ...where, fixed: { config: "/proc/nonexistent", data: "" } }, pins, program);
    expect(codeOf(() => applyHardening(plan))).toBe("STORE_UNWRITABLE");
    writeAtHome("");
    rmSync(atHome());
    chmodSync(join(folder, "home", "kubectl-oidc"), 0o777);
    expect(codeOf(() => applyHardening(planHardening(where, pins, program)))).toBe("STORE_UNSAFE");
  });

  it("gives kubectl's allow-list entry: the absolute path, verbatim [MK-08]", () => {
    const { kuberc } = planHardening(where, pins, "/opt/a b/kubectl-oidc");
    expect(kuberc.command).toBe("kubectl kuberc set --section credentialplugin --policy Allowlist --allowlist-entry command='/opt/a b/kubectl-oidc'");
    expect(parse(kuberc.file)).toEqual({
      apiVersion: "kubectl.config.k8s.io/v1beta1",
      kind: "Preference",
      credentialPluginPolicy: "Allowlist",
      credentialPluginAllowlist: [{ command: "/opt/a b/kubectl-oidc" }],
    });
  });
});

describe("which configuration counts", () => {
  const strict = "strict: true\n";
  it("the machine's strict cannot be moved, and a moved file does not speak for the person under it", () => {
    writeFileSync(where.machineConfig, strict);
    writeFileSync(join(folder, "moved", "config.yaml"), "allow:\n  browser-command: [evil]\n");
    expect(readConfiguration(where, {})).toMatchObject({ machine: { strict: true }, fixed: [{ strict: true }], isUsersOwn: false });
  });
  it("without a strict file in a place of its own, the moved file is the person's", () => {
    writeFileSync(join(folder, "moved", "config.yaml"), strict);
    writeAtHome("audit: true\n");
    expect(readConfiguration(where, {})).toMatchObject({ user: { strict: true }, fixed: [], isUsersOwn: true });
  });
  it("in the usual place the person's file counts once", () => {
    writeAtHome(strict);
    const usual = { ...where, config: join(folder, "home", "kubectl-oidc") };
    expect(readConfiguration(usual, {})).toMatchObject({ user: { strict: true }, fixed: [{ strict: true }], isUsersOwn: true, looked: [where.machineConfig, atHome()] });
  });
  it("every file that was looked for is named, so that a memo does not outlive one", () => {
    expect(readConfiguration(where, {}).looked).toEqual([where.machineConfig, join(folder, "moved", "config.yaml"), atHome()]);
  });
});
