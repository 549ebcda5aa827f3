import { describe, expect, it } from "vitest";
import { checkSources } from "../../src/core/checks/sources.ts";
import type { RawOptions } from "../../src/core/option-values.ts";
import { originsOf, shownValue } from "../../src/core/provenance.ts";
import type { OptionSource } from "../../src/core/settings.ts";

const source = (label: string, options: RawOptions, kind?: OptionSource["kind"]): OptionSource => ({
  label,
  typed: label === "command line",
  options,
  ...(kind === undefined ? {} : { kind }),
});
const linesOf = (sources: readonly OptionSource[], env = {}) => originsOf(sources, env).map(({ name, shown, where }) => `${name} = ${shown} (${where})`);
const says = (pattern: RegExp) => expect.stringMatching(pattern) as string;

describe("where an option comes from", () => {
  it("is the strongest place that has it, in the words that it is looked up by", () => {
    expect(
      linesOf(
        [
          source("command line", { "max-age": ["60"] }),
          source("context prod", { "oidc-client-id": ["kubernetes"], "max-age": ["30"] }, "stanza"),
          source("environment", { account: ["ann"] }, "environment"),
          source("context prod", { account: ["bob"], "acr-values": ["gold"] }, "stanza-env"),
          source("cluster config of context prod", { "oidc-extra-scope": ["groups", "email"] }, "cluster"),
          source("profile work", { prompt: ["login"] }, "profile"),
          source("/etc/kubectl-oidc/config.yaml", { "oidc-issuer-url": ["https://id.example.com"] }),
        ],
        { KUBECACHEDIR: "/srv/cache", BROWSER: "firefox" },
      ),
    ).toEqual([
      "oidc-issuer-url = https://id.example.com (/etc/kubectl-oidc/config.yaml)",
      "oidc-client-id = kubernetes (context prod)",
      "oidc-extra-scope = groups, email (cluster config of context prod)",
      "account = ann (KUBECTL_OIDC_ACCOUNT)",
      "acr-values = gold (KUBECTL_OIDC_ACR_VALUES in the env of context prod)",
      "max-age = 60 (command line)",
      "prompt = login (profile work)",
      "token-cache-dir = /srv/cache (KUBECACHEDIR)",
      "browser-command = firefox (BROWSER)",
    ]);
  });
  it("is said with what counts: the last of an option that has one value, all of a list", () => {
    const typed = source("command line", { account: ["ann", "bob"], "listen-address": ["127.0.0.1:1", "127.0.0.1:2"] });
    expect(linesOf([typed])).toEqual(["listen-address = 127.0.0.1:1, 127.0.0.1:2 (command line)", "account = bob (command line)"]);
  });
  it("is not said of what nobody set", () => expect(linesOf([source("command line", {})])).toEqual([]));
});

describe("a value as it is shown", () => {
  it.each<[string, readonly string[], string]>([
    ["oidc-client-secret", ["s3cret"], "[redacted]"],
    ["password", ["s3cret"], "[redacted]"],
    ["oidc-request-header", ["x-key=s3cret"], "[redacted]"],
    ["oidc-auth-request-extra-params", ["k=s3cret"], "[redacted]"],
    ["oidc-client-secret-file", ["/run/secret"], "/run/secret"],
    ["certificate-authority-data", ["LS0t"], "(certificates)"],
    ["oidc-issuer-url", ["https://ann:s3cret@id.example.com/a"], "https://id.example.com/a"],
    ["oidc-issuer-url", ["odd://ann:s3cret@[/a"], "odd://[/a"],
    ["open-url-after-authentication", ["https://x.example.com/a?token=s3cret#b"], "https://x.example.com/a?…"],
    ["account", [""], "(empty)"],
    ["account", ["ann\u001b[2J\u202e"], "ann [2J"],
  ])("of %s from %j is %s", (name, texts, shown) => expect(shownValue(name, texts)).toBe(shown));
});

describe("D-23", () => {
  const check = (sources: readonly OptionSource[], more: Partial<Parameters<typeof checkSources>[0]> = {}) =>
    checkSources({ sources, origins: originsOf(sources, {}), unknown: [], usesContext: true, ...more });
  const stanza = source("context prod", { "oidc-issuer-url": ["https://id"], "oidc-client-id": ["k"] }, "stanza");

  it("lists what is set by where it was set", () => {
    expect(check([stanza, source("environment", { account: ["ann"] }, "environment")])).toEqual({
      status: "ok",
      detail: "context prod: oidc-issuer-url=https://id, oidc-client-id=k; KUBECTL_OIDC_ACCOUNT: account=ann",
    });
    expect(check([]).detail).toBe("nothing is set");
  });
  it("shows no secret, and compares them all the same", () => {
    const found = check([source("environment", { password: ["s3cret"] }, "environment"), source("profile work", { password: ["0ther"] }, "profile")]);
    expect(found).toMatchObject({ status: "warn", detail: says(/password of the profile work/) });
    expect(JSON.stringify(found)).not.toMatch(/s3cret|0ther/);
    expect(JSON.stringify(check([source("environment", { password: ["s3cret"] }, "environment")]))).not.toContain("s3cret");
  });
  it.each<[string, readonly OptionSource[], RegExp, string]>([
    [
      "a variable that overrides the stanza's env",
      [stanza, source("environment", { account: ["ann"] }, "environment"), source("context prod", { account: ["bob"] }, "stanza-env")],
      /KUBECTL_OIDC_ACCOUNT overrides what context prod says; kubectl uses the stanza's/,
      "unset KUBECTL_OIDC_ACCOUNT",
    ],
    [
      "a variable that overrides the cluster's config",
      [stanza, source("environment", { account: ["ann"] }, "environment"), source("cluster config of context prod", { account: ["bob"] }, "cluster")],
      /KUBECTL_OIDC_ACCOUNT overrides what cluster config of context prod says/,
      "unset KUBECTL_OIDC_ACCOUNT",
    ],
    [
      "a value of a profile that a stronger place hides",
      [stanza, source("profile work", { "oidc-client-id": ["other"] }, "profile")],
      /oidc-client-id of the profile work does not count: context prod says something else/,
      "remove oidc-client-id from one of the two",
    ],
  ])("warns of %s", (_, sources, detail, cure) => {
    const found = check(sources);
    expect(found).toMatchObject({ status: "warn", detail: says(detail), cure });
    // The list is there all the same.
    expect(found.detail).toContain("oidc-issuer-url=https://id");
  });
  it("says nothing of what is typed, of what a stanza says before a variable, and of equal values", () => {
    const profile = source("profile work", { "oidc-client-id": ["other"] }, "profile");
    expect(check([source("command line", { "oidc-client-id": ["k"] }), profile]).status).toBe("ok");
    expect(check([stanza, source("environment", { "oidc-client-id": ["x"] }, "environment")]).status).toBe("ok");
    expect(check([stanza, source("profile work", { "oidc-client-id": ["k"] }, "profile")]).status).toBe("ok");
  });
  it("names a variable that nobody reads, with the one that is meant, even when the settings cannot be read", () => {
    const unknown = [{ name: "KUBECTL_OIDC_ISSUERURL", near: "KUBECTL_OIDC_ISSUER_URL" }];
    for (const sources of [[stanza], undefined])
      expect(checkSources({ sources, origins: [], unknown, usesContext: true })).toMatchObject({
        status: "warn",
        detail: says(/KUBECTL_OIDC_ISSUERURL is no variable of this program: did you mean KUBECTL_OIDC_ISSUER_URL/),
        cure: "unset KUBECTL_OIDC_ISSUERURL, and set KUBECTL_OIDC_ISSUER_URL",
      });
    expect(checkSources({ sources: undefined, origins: [], unknown: [], usesContext: true }).status).toBe("skipped");
  });
  it("warns of a variable that keeps the current context from being looked at", () => {
    const found = check([source("environment", { "oidc-issuer-url": ["https://id"] }, "environment")], { usesContext: false });
    expect(found).toMatchObject({ status: "warn", detail: says(/KUBECTL_OIDC_ISSUER_URL names the issuer, so the current context is not looked at/) });
  });
});
