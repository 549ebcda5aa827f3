import { describe, expect, it } from "vitest";
import { environmentName, optionTable } from "../../src/core/flag-table.ts";
import { nearestOption, unknownVariables } from "../../src/core/option-names.ts";

describe("the option that a key of a file means", () => {
  it.each<[string, string | undefined]>([
    ["issuer-url", "oidc-issuer-url"],
    ["oidc_issuer_url", "oidc-issuer-url"],
    ["issuerUrl", "oidc-issuer-url"],
    ["oidcClientId", "oidc-client-id"],
    ["OIDC_CLIENT_ID", "oidc-client-id"],
    ["--account", "account"],
    ["KUBECTL_OIDC_ISSUER_URL", "oidc-issuer-url"],
    ["KUBECTL_OIDC_GRANT_TYPE", "grant-type"],
    ["oidc-isuer-url", "oidc-issuer-url"],
    ["isuer-url", "oidc-issuer-url"],
    ["client-id", "oidc-client-id"],
    ["granttype", "grant-type"],
    ["listen-adress", "listen-address"],
    ["colour", undefined],
    ["", undefined],
    ["x".repeat(10_000), undefined],
  ])("%s → %s", (key, expected) => expect(nearestOption(key)).toBe(expected));
  it("is the option itself, however it is written", () => {
    for (const { name } of optionTable.filter((row) => !("hidden" in row)))
      for (const spelt of [name, `--${name}`, name.replaceAll("-", "_"), name.toUpperCase().replaceAll("-", "_"), environmentName(name)])
        expect(nearestOption(spelt), spelt).toBe(name);
  });
});

describe("a variable with our prefix that nobody reads", () => {
  it.each<[string, string | undefined]>([
    ["KUBECTL_OIDC_ISSUERURL", "KUBECTL_OIDC_ISSUER_URL"],
    ["KUBECTL_OIDC_OIDC_ISSUER_URL", "KUBECTL_OIDC_ISSUER_URL"],
    ["KUBECTL_OIDC_CLIENTID", "KUBECTL_OIDC_CLIENT_ID"],
    ["KUBECTL_OIDC_ACOUNT", "KUBECTL_OIDC_ACCOUNT"],
    ["kubectl_oidc_account", "KUBECTL_OIDC_ACCOUNT"],
    ["KUBECTL_OIDC_COLOUR_OF_THE_SKY", undefined],
    ["KUBECTL_OIDC_CONFIGG", "KUBECTL_OIDC_CONFIG"],
  ])("%s: %s is meant", (name, near) => expect(unknownVariables({ [name]: "x", HOME: "/home/ann" })).toEqual([{ name, near }]));
  it("is none of those that are read", () => {
    const known = Object.fromEntries([...optionTable.map(({ name }) => [environmentName(name), "x"]), ["KUBECTL_OIDC_CONFIG", "x"], ["PATH", "/bin"]]);
    expect(unknownVariables(known)).toEqual([]);
    expect(unknownVariables({ KUBECTL_OIDC_ISSUERURL: undefined })).toEqual([]);
  });
});
