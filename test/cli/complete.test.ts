import { describe, expect, it } from "vitest";
import { complete, completionText, type KnownNames } from "../../src/cli/complete.ts";
import { commandTable } from "../../src/cli/command-table.ts";
import { hostileTexts } from "../fakes/hostile-texts.ts";

const known: KnownNames = {
  contexts: ["prod", "staging", "prod"],
  allContexts: ["prod", "new"],
  clusters: ["k8s"],
  users: ["admin"],
  issuers: ["https://id.example.com"],
  clients: ["kubernetes"],
  accounts: ["ann@example.com"],
  profiles: ["work"],
};
const offered = (...words: string[]) => complete(words, () => known).candidates.map(([value]) => value);

describe("completion offers", () => {
  it("the commands, by their beginnings", () => {
    expect(offered("")).toEqual([...Object.keys(commandTable), "help"]);
    expect(offered("lo")).toEqual(["login", "logout"]);
    expect(offered("-")).toEqual(["--help", "--version"]);
    expect(offered("help", "tr")).toEqual(["trust"]);
  });
  it("the options of that command, hidden ones apart", () => {
    expect(offered("login", "--oidc-c")).toEqual(["--oidc-client-id", "--oidc-client-secret-file", "--oidc-client-secret"]);
    expect(offered("logout", "--s")).toContain("--sso");
    expect(offered("login", "--s")).not.toContain("--sso");
    expect(offered("version", "--")).toEqual(["--check", "--output", "--help"]);
    expect(offered("get-token", "--log")).toEqual([]);
  });
  it.each<[readonly string[], readonly string[]]>([
    [
      ["login", "--context", ""],
      ["prod", "staging"],
    ],
    [["login", "--context=st"], ["--context=staging"]],
    [
      ["setup", "--context", ""],
      ["prod", "new"],
    ],
    [["setup", "--cluster", ""], ["k8s"]],
    [["setup", "--user="], ["--user=admin"]],
    [["setup", "--preset", "k"], ["keycloak"]],
    [["setup", "--dry-run", "--ye"], ["--yes"]],
    [["login", "--account", ""], ["ann@example.com"]],
    [["login", "--oidc-issuer-url", "https://i"], ["https://id.example.com"]],
    [["login", "--oidc-issuer-url=https://i"], ["--oidc-issuer-url=https://id.example.com"]],
    [["login", "--oidc-client-id", ""], ["kubernetes"]],
    [["login", "--profile", ""], ["work"]],
    [
      ["login", "--grant-type", "auth"],
      ["authcode", "authcode-keyboard"],
    ],
    [
      ["login", "--token-cache-storage="],
      ["--token-cache-storage=keyring", "--token-cache-storage=helper:", "--token-cache-storage=disk", "--token-cache-storage=none"],
    ],
    [
      ["login", "--skip-open-browser="],
      ["--skip-open-browser=true", "--skip-open-browser=false"],
    ],
    [
      ["token", "-o", ""],
      ["json", "header", "env"],
    ],
    [
      ["login", "-v", ""],
      ["0", "1", "4", "8"],
    ],
    [
      ["trust", ""],
      ["list", "add", "remove"],
    ],
    [["trust", "add", ""], []],
    [["completion", "f"], ["fish"]],
    [
      ["help", "e"],
      ["environment", "exit-codes"],
    ],
    [
      ["help", "lo"],
      ["login", "logout"],
    ],
    [["nonsense", ""], []],
  ])("%j: %j", (words, expected) => expect(offered(...words)).toEqual(expected));
  it("a word after an option that takes none is no value of it", () => expect(offered("logout", "--all", "--ss")).toEqual(["--sso"]));
  it("files where a file belongs", () => {
    for (const words of [
      ["login", "--kubeconfig", ""],
      ["login", "--oidc-client-secret-file=x"],
    ])
      expect(complete(words, () => known)).toEqual({ candidates: [], files: true });
  });
  it("nothing that a shell could take for more than a word: a kubeconfig can come from anybody", () => {
    const evil = [...hostileTexts, "$(touch pwned)", "`id`", "a b", "a;b", "a'b", 'a"b', "a\tb", "a\nb", "*", "~x", "a|b", "a&b", "a>b", "fine"];
    const names = complete(["login", "--context", ""], () => ({ ...known, contexts: evil })).candidates.map(([value]) => value);
    for (const name of names) expect(name).toMatch(/^[\w@%+=:,./~-]+$/);
    expect(names).toContain("fine");
  });
  it("looks at this computer only when that is needed", () => {
    expect(() =>
      complete(["login", "--"], () => {
        throw new Error("asked");
      }),
    ).not.toThrow();
  });
});

it("the answer is in cobra's form", () => {
  expect(
    completionText({
      candidates: [
        ["login", "log in"],
        ["x", ""],
      ],
      files: false,
    }),
  ).toBe("login\tlog in\nx\n:4\n");
  expect(completionText({ candidates: [], files: true })).toBe(":0\n");
});
