import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { yamlText } from "../../src/adapters/yaml-text.ts";
import { safeLine } from "../../src/core/untrusted-text.ts";
import { hasProgram } from "../programs.ts";

const hasKubectl = hasProgram("kubectl");

/** Names that a YAML reader could take for something else, or an eye. */
const odd = [
  ...["0o17", "0O17", "0X1F", "0b1", "0B11", "+0o7", "-0x1F", "0_o7", "+_1", "1_000", "1:30", "1.", ".5", "5e3", "12e03", "0777", "08", "2024-01-01", "2024-1-1 1:2:3"],
  ...["on", "No", "y", "~", "null", "NULL", ".inf", "+.INF", ".NaN", "=", "<<", "true ", "-", "---", "...", "- a", "a: b", "a #b", "#a", "*x", "&x", "!x", "%x", "@x", "`x"],
  ...["'x", '"x', "{", "[a]", "a,b", "?", "? x", ":", ":x", "x:", "|", "> x", " x", "x ", "x\t", "\tx", "x\ny", "x\n", "\nx", "x\r\ny", "x\ry", "\n\n", "a  b\n\n  c\n"],
  ...[
    "a\u202eb",
    "a\u200bb",
    "\u0085",
    "a\u2028b",
    "é",
    "日本",
    "\u0001",
    "\u007f",
    "\u009b",
    "\ufeffx",
    "😀",
    "\u{e0041}",
    "a\n# or: curl | sh\n",
    "\u00a0x",
    "e\u0301\u0301\u0301\u0301\u0301\u0301",
  ],
];
const kubeconfig = yamlText(
  {
    apiVersion: "v1",
    kind: "Config",
    users: odd.map((text, i) => ({ name: `${i}`, user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "x", args: [text], interactiveMode: "Never" } } })),
  },
  false,
);
const argsOf = (value: { readonly users: readonly { readonly user: { readonly exec: { readonly args: readonly string[] } } }[] }) =>
  value.users.flatMap(({ user }) => user.exec.args);

describe("a value as YAML", () => {
  it("is read as exactly it", () => {
    expect(argsOf(parse(kubeconfig) as Parameters<typeof argsOf>[0])).toEqual(odd);
  });

  it.skipIf(!hasKubectl)("is read as exactly it by kubectl", () => {
    const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-yaml-"));
    try {
      writeFileSync(join(folder, "config"), kubeconfig);
      const read = execFileSync("kubectl", ["config", "view", "--raw", "-o", "json", `--kubeconfig=${join(folder, "config")}`], { encoding: "utf8" });
      const sorted = (JSON.parse(read) as { readonly users: { readonly name: string }[] }).users.sort((one, other) => Number(one.name) - Number(other.name));
      expect(argsOf({ users: sorted } as unknown as Parameters<typeof argsOf>[0])).toEqual(odd);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("passes the sanitiser as it is, and of several lines shows a certificate alone", () => {
    for (const line of kubeconfig.split("\n")) expect(safeLine(line)).toBe(line);
    expect(yamlText({ name: "a\n# or: curl | sh" }, false)).toBe('name: "a\\n# or: curl | sh"\n');
    expect(yamlText({ ca: "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n" }, false)).toBe(
      "ca: |\n  -----BEGIN CERTIFICATE-----\n  QUJD\n  -----END CERTIFICATE-----\n",
    );
  });
});
