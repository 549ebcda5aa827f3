import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { rewriteYaml } from "../../src/adapters/yaml-rewrite.ts";
import { textDiff } from "../../src/adapters/text-diff.ts";
import { execStanza } from "../../src/core/exec-stanza.ts";
import { withContextUser, withEntry } from "../../src/core/kubeconfig-edits.ts";
import { hasProgram } from "../programs.ts";

const hasKubectl = hasProgram("kubectl");
const stanza = execStanza({ command: "kubectl-oidc", args: ["get-token", "--oidc-issuer-url=https://id.example.com", "--oidc-client-id=kubernetes"], provideClusterInfo: true });

const head = `apiVersion: v1 # v\nkind: Config\nclusters:\n- cluster:\n    server: https://x:6443\n  name: c\n`;
const context = `contexts:\n- context:\n    cluster: c\n    user: u\n  name: prod\n`;
const users = `users:\n- name: u\n  user:\n    token: x\n`;
const changed = "    user: u";

/** A kubeconfig as tools and people write them, and the lines of it that go. */
const shapes: Readonly<Record<string, readonly [text: string, gone: readonly string[]]>> = {
  "whose users are null": [`${head}${context}users: null # none yet\n`, [changed, "users: null # none yet"]],
  "whose users are an empty list": [`${head}${context}users: []  # none yet\n# end\n`, [changed, "users: []  # none yet"]],
  "whose users are nothing": [`${head}users: # none yet\n${context}`, [changed]],
  "whose users are nothing, at its end": [`${head}${context}users:`, [changed, "users:"]],
  "whose users are a comment": [`${head}${context}users:\n# none yet\n`, [changed]],
  "whose context has no user": [`${head}contexts:\n- name: prod\n  context:\n    cluster: c\n    user:\nusers:\n- name: u\n  user: {token: x}\n`, ["    user:"]],
  "without a line break at its end": [`${head}${context}${users.trimEnd()}`, [changed, "    token: x"]],
  "with comments behind its last entry": [`${head}${context}${users}    # deep\n  # less\n# least\n`, [changed]],
  "with a block text behind": [`${head}${context}users:\n- name: u\n  user:\n    client-key-data: |\n      QUJD\n      REVG\n\n\n# c\n`, [changed]],
  "with indented lists": [
    `${head.replace("- cluster:\n    server: https://x:6443\n  name", "  - cluster:\n      server: https://x:6443\n    name")}contexts:\n  - name: prod\n    context:\n      cluster: c\n      user: u # who\nusers:\n  # first\n  - name: u # n\n    user: # v\n      token: x # t\n  # last\n`,
    ["      user: u # who"],
  ],
  "with document marks": [`%YAML 1.1\n---\n${head}${context}${users}...\n`, [changed]],
  "of which a second document follows": [`${head}${context}${users}---\n`, [changed]],
  "of flow style within": [`${head}${context}users: [{name: u, user: {token: x}}] # flow\n`, [changed, "users: [{name: u, user: {token: x}}] # flow"]],
  "with Windows' line ends": [`${head}${context}${users}`.replaceAll("\n", "\r\n"), [`${changed}\r`]],
  "with line ends of both kinds": [`${head.replaceAll("\n", "\r\n")}${context}${users}`, [changed]],
  "with line ends of both kinds, the other way round": [`${head}${`${context}${users}`.replaceAll("\n", "\r\n")}`, [`${changed}\r`]],
  "with a byte order mark": [`\ufeff${head}${context}${users}`, [changed]],
  "with anchors elsewhere": [
    `${head}x-base: &b\n  apiVersion: client.authentication.k8s.io/v1\n  command: aws\n${context}users:\n- name: u\n  user:\n    exec: *b\n- name: u2\n  user: # keep\n    exec:\n      <<: *b\n      args: [a]\n`,
    [changed],
  ],
  "with quoted keys": [
    `${head}"contexts":\n- "context":\n    "cluster": "c"\n    "user": 'u' # c\n  "name": "prod"\n"users":\n- "name": u\n  "user": {"token": "x"}\n`,
    [`    "user": 'u' # c`],
  ],
  "with tabs in it": [`${head}${context}users:\n- name: u\n  user:\n    token: "x\ty"\t# tab\n`, [changed]],
  "of EKS": [
    `${head}${context.replace(": u\n", ": arn:aws:eks:eu-west-1:1:cluster/prod\n")}users:\n- name: arn:aws:eks:eu-west-1:1:cluster/prod\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1beta1\n      args:\n      - --region\n      command: aws\n      env:\n      - name: AWS_PROFILE\n        value: prod\n`,
    ["    user: arn:aws:eks:eu-west-1:1:cluster/prod"],
  ],
};

const names = ["oidc-prod", "oidc-arn:aws:eks:eu-west-1:1:cluster/x", `oidc-it's "q" : # x`, "oidc-日本", "0o17", "a\\b", "- x", "a\tb", "yes", " x "];

const setUp = (text: string, user: string) => {
  const value = parseDocument(text, { merge: true }).toJS() as Record<string, unknown>;
  return rewriteYaml(text, withContextUser(withEntry(value, "users", user, { exec: stanza }), "prod", user));
};

/** What kubectl reads of it. */
function kubectlReads(text: string) {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-shapes-"));
  try {
    writeFileSync(join(folder, "config"), text);
    return JSON.parse(execFileSync("kubectl", ["config", "view", "--raw", "-o", "json", `--kubeconfig=${join(folder, "config")}`], { encoding: "utf8" })) as {
      readonly users: readonly { readonly name: string; readonly user: object }[];
      readonly contexts: readonly { readonly name: string; readonly context: { readonly user: string } }[];
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("a kubeconfig that gets a user", () => {
  it.each(Object.entries(shapes))("%s: nothing else of it goes", (_, [text, gone]) => {
    const after = setUp(text, "oidc-prod");
    const lines = textDiff("f", text, after).split("\n");
    expect(lines.filter((line) => line.startsWith("-") && !line.startsWith("---")).map((line) => line.slice(1))).toEqual(expect.arrayContaining([...gone]));
    expect(lines.filter((line) => line.startsWith("-") && !line.startsWith("---"))).toHaveLength(gone.length);
    for (const comment of text.match(/#.*/g) ?? []) expect(after).toContain(comment.trimEnd());
    if (hasKubectl) {
      const read = kubectlReads(after);
      expect(read.contexts.find(({ name }) => name === "prod")?.context.user).toBe("oidc-prod");
      expect(read.users.find(({ name }) => name === "oidc-prod")?.user).toMatchObject({ exec: stanza });
    }
  });

  it.skipIf(!hasKubectl).each(names)("of the name %j: kubectl reads it so", (name) => {
    const read = kubectlReads(setUp(`${head}${context}${users}`, name));
    expect(read.contexts.map((one) => one.context.user)).toEqual([name]);
    expect(read.users.map((one) => one.name).toSorted()).toEqual([name, "u"].toSorted());
  });

  it("whose context is an anchor that another one hangs on keeps its comments, and the other context its user", () => {
    const text = `# top\n${head}contexts:\n- name: prod # the first\n  context: &p\n    cluster: c # here\n    user: u # who\n- name: other # the second\n  context: *p\n${users}# end\n`;
    const after = setUp(text, "oidc-prod");
    for (const comment of text.match(/#.*/g) ?? []) expect(after).toContain(comment);
    expect(parseDocument(after).toJS()).toMatchObject({
      contexts: [
        { name: "prod", context: { cluster: "c", user: "oidc-prod" } },
        { name: "other", context: { cluster: "c", user: "u" } },
      ],
    });
  });

  it("whose line ends are of both kinds and which holds all of it already stays as it is", () => {
    const text = `${head.replaceAll("\n", "\r\n")}${context}${users}`;
    expect(rewriteYaml(text, parseDocument(text).toJS() as Record<string, unknown>)).toBe(text);
  });
});
