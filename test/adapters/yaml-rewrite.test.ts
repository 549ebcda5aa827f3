import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { rewriteYaml } from "../../src/adapters/yaml-rewrite.ts";

const kubeconfig = `# of the platform team
apiVersion: v1
kind: Config
current-context: prod   # the important one
clusters:
- name: prod
  cluster:
    server: https://k8s.example.com:6443 # behind the VPN

contexts:
# one for each cluster
- name: prod
  context:
    cluster: prod
    user: admin
    namespace: "default"
users:
- name: admin          # break glass
  user:
    client-certificate-data: QUJD
    client-key-data: |
      abc
      def
- name: ann
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: kubectl
      args:
      - oidc-login
      - get-token
      # ours
      - --oidc-issuer-url=https://id.example.com   # the issuer
      - --oidc-client-id=kubernetes
      env: null
preferences: {}
`;

type Json = Record<string, unknown>;
const value = () => parse(kubeconfig) as { contexts: { context: Json }[]; users: { name: string; user: Json }[] } & Json;
/** The lines that went (`-`) and came (`+`). */
const difference = (before: string, after: string) => {
  const [one, other] = [before.split("\n"), after.split("\n")];
  return [...one.filter((line) => !other.includes(line)).map((line) => `-${line}`), ...other.filter((line) => !one.includes(line)).map((line) => `+${line}`)];
};

describe("a YAML text that is to hold another value", () => {
  it("stays as it is when it holds it", () => {
    expect(rewriteYaml(kubeconfig, value())).toBe(kubeconfig);
  });

  it("changes the one scalar, and keeps the comment beside it", () => {
    const wanted = value();
    wanted.contexts[0]!.context["user"] = "oidc";
    expect(difference(kubeconfig, rewriteYaml(kubeconfig, wanted))).toEqual(["-    user: admin", "+    user: oidc"]);
  });

  it("gets a further user at the end of the list, as kubectl indents it", () => {
    const wanted = value();
    wanted.users.push({ name: "oidc", user: { exec: { command: "kubectl-oidc", args: ["get-token", "on"] } } as unknown as Json });
    const after = rewriteYaml(kubeconfig, wanted);
    expect(after).toContain(`      env: null\n- name: oidc\n  user:\n    exec:\n      command: kubectl-oidc\n      args:\n      - get-token\n      - "on"\npreferences: {}`);
    expect(difference(kubeconfig, after).filter((line) => line.startsWith("-"))).toEqual([]);
  });

  it("changes an exec stanza line by line, comments between its arguments included", () => {
    const wanted = value();
    wanted.users[1]!.user = {
      exec: {
        apiVersion: "client.authentication.k8s.io/v1",
        command: "kubectl-oidc",
        args: ["get-token", "--oidc-issuer-url=https://id.example.com", "--oidc-client-id=kubernetes"],
        interactiveMode: "IfAvailable",
      },
    } as unknown as Json;
    expect(difference(kubeconfig, rewriteYaml(kubeconfig, wanted))).toEqual([
      "-      apiVersion: client.authentication.k8s.io/v1beta1",
      "-      command: kubectl",
      "-      - oidc-login",
      "-      env: null",
      "+      apiVersion: client.authentication.k8s.io/v1",
      "+      command: kubectl-oidc",
      "+      interactiveMode: IfAvailable",
    ]);
  });

  it("adds to a list and behind it at once, with the comments of both", () => {
    const wanted = value();
    wanted.users[1]!.user = {
      exec: {
        command: "kubectl",
        args: ["get-token", "--new=1", "--oidc-client-id=kubernetes", "--new=2"],
        interactiveMode: "IfAvailable",
        apiVersion: "client.authentication.k8s.io/v1beta1",
      },
    } as unknown as Json;
    const text = kubeconfig.replace("exec:", "exec: # theirs").replace("id=kubernetes", "id=kubernetes # last").replace("      env: null\n", "");
    expect(difference(text, rewriteYaml(text, wanted))).toEqual([
      "-      - oidc-login",
      "-      - --oidc-issuer-url=https://id.example.com   # the issuer",
      "+      - --new=1",
      "+      - --new=2",
      "+      interactiveMode: IfAvailable",
    ]);
  });

  it("loses a user with the lines of its secrets and nothing else", () => {
    const wanted = value();
    wanted.users.splice(0, 1);
    const after = rewriteYaml(kubeconfig, wanted);
    expect(after).not.toContain("abc");
    expect(after.length).toBe(kubeconfig.length - kubeconfig.slice(kubeconfig.indexOf("- name: admin"), kubeconfig.indexOf("- name: ann")).length);
  });

  it.each([
    ["an empty list", "users: []\ncontexts: []\n"],
    ["nothing", "users:\ncontexts: null\n"],
    ["no list at all", "apiVersion: v1"],
    ["an empty file", ""],
    ["comments alone", "# nothing yet\n"],
    ["the mark of an end alone", "...\n"],
    ["a null", "~\n"],
    ["a blank", " "],
    ["blank lines", " \n\n"],
    ["an alias of nothing", "a: &a\nb: [*a]\n"],
    ["an alias of nothing, under no name", ": &a\nb: [*a]\nc: "],
    ["flow style", "{users: [{name: a, user: {token: x}}], contexts: []} # all of it\n"],
    ["anchors", "users:\n- &a {name: a, user: {token: x}}\nother: *a\n"],
    ["a list that is indented", "users:\n  - name: a\n    user:\n      token: x # its\n"],
    ["no line break at the end", "users:\n- name: a\n  user:\n    token: x"],
    ["a block scalar at the end", "users:\n- name: a\n  user:\n    token: |\n      x\n      y\n"],
  ])("that has %s gets a user", (_, text) => {
    const before = (parse(text) ?? {}) as { users?: unknown[] };
    const wanted = { ...before, users: [...(before.users ?? []), { name: "oidc", user: { exec: { args: ["get-token"] } } }] };
    const after = rewriteYaml(text, wanted);
    expect(parse(after)).toEqual(wanted);
    for (const [comment] of text.matchAll(/#.*/g)) expect(after).toContain(comment);
  });

  it("of JSON stays JSON, with its indentation", () => {
    const text = `${JSON.stringify(value(), null, 4)}\n`;
    const wanted = value();
    wanted.contexts[0]!.context["user"] = "oidc";
    expect(rewriteYaml(text, wanted)).toBe(`${JSON.stringify(wanted, null, 4)}\n`);
    expect(rewriteYaml(JSON.stringify(value()), wanted)).toBe(JSON.stringify(wanted));
  });

  it("keeps Windows' line ends and a byte order mark", () => {
    const text = `\ufeff${kubeconfig.replaceAll("\n", "\r\n")}`;
    const wanted = value();
    wanted.contexts[0]!.context["user"] = "oidc";
    expect(rewriteYaml(text, wanted)).toBe(text.replace("user: admin", "user: oidc"));
  });

  it("that would hold what our own reader refuses is not written", () => {
    const text = `{"": "${":".repeat(90)}\n  ${":".repeat(90)}", a: &a [1], b: *a}\n`;
    expect(() => rewriteYaml(text, { ...(parse(text) as object), users: [] })).toThrow(/cannot be written back/);
  });

  it("holds whatever is wanted, and loses no comment of what stays", () => {
    const leaf = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom("on", "no", "12:30", "~", "- a", "a: b", "# c", "|", "x\ny", " "),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    );
    const tree = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom("name", "user", "exec", "args", "a b"), tie("value"), { maxKeys: 4 }),
      ),
    })).value;
    const named = fc.array(fc.record({ name: fc.constantFrom("admin", "ann", "oidc", "bob"), user: tree }), { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.uniqueArray(
          named.map((users) => users[0] ?? { name: "x", user: {} }),
          { selector: ({ name }) => name, maxLength: 4 },
        ),
        tree,
        (users, more) => {
          const wanted = { ...value(), users, more };
          const after = rewriteYaml(kubeconfig, wanted);
          expect(parse(after)).toEqual(parse(JSON.stringify(wanted)));
          expect(after).toContain("# behind the VPN");
          expect(after).toContain("# one for each cluster");
          // And from there to somewhere else.
          expect(parse(rewriteYaml(after, value()))).toEqual(value());
        },
      ),
      { numRuns: 300 },
    );
  });
});
