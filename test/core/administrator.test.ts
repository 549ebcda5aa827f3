import { describe, expect, it } from "vitest";
import { apiServerFlags, authenticationConfiguration, expectedUser, roleBinding, type UserMapping } from "../../src/core/administrator.ts";

const mapping: UserMapping = {
  issuer: "https://id.example.com",
  audiences: ["kubernetes"],
  usernameClaim: "email",
  usernamePrefix: "oidc:",
  groupsClaim: "groups",
  groupsPrefix: "oidc:",
  algorithm: "RS256",
  authority: undefined,
};

describe("whom an API server sees", () => {
  it("is the claim with its prefix; a single group counts as a list", () => {
    expect(expectedUser(mapping, { email: "ann@example.com", groups: "dev" })).toEqual({ username: "oidc:ann@example.com", groups: ["oidc:dev"] });
  });
  it("is nobody without the claim, and without groups when they are no texts", () => {
    expect(expectedUser(mapping, { sub: "1", groups: [{ id: 1 }] })).toEqual({ username: undefined, groups: [] });
    expect(expectedUser(mapping, { email: "" })).toMatchObject({ username: undefined });
    expect(expectedUser({ ...mapping, groupsClaim: undefined }, { email: "a", groups: ["dev"] })).toEqual({ username: "oidc:a", groups: [] });
  });
});

describe("AuthenticationConfiguration", () => {
  it("says issuer, audience, claims and prefixes, an empty one too: the field is required beside a claim", () => {
    expect(authenticationConfiguration({ ...mapping, usernamePrefix: "" })).toEqual({
      apiVersion: "apiserver.config.k8s.io/v1",
      kind: "AuthenticationConfiguration",
      jwt: [
        {
          issuer: { url: "https://id.example.com", audiences: ["kubernetes"] },
          claimMappings: { username: { claim: "email", prefix: "" }, groups: { claim: "groups", prefix: "oidc:" } },
        },
      ],
    });
  });
  it("of several audiences asks for one of them, and holds the issuer's own authority", () => {
    expect(authenticationConfiguration({ ...mapping, audiences: ["a", "b"], authority: "PEM\n", groupsClaim: undefined })).toMatchObject({
      jwt: [{ issuer: { audiences: ["a", "b"], audienceMatchPolicy: "MatchAny", certificateAuthority: "PEM\n" }, claimMappings: { username: { claim: "email" } } }],
    });
  });
});

describe("the flags of an API server", () => {
  it("say the same", () => {
    expect(apiServerFlags(mapping)).toEqual([
      "--oidc-issuer-url=https://id.example.com",
      "--oidc-client-id=kubernetes",
      "--oidc-username-claim=email",
      "--oidc-username-prefix=oidc:",
      "--oidc-groups-claim=groups",
      "--oidc-groups-prefix=oidc:",
    ]);
  });
  it("turn the prefix off with -, since without the flag the issuer's URL would be one; and name an algorithm that is not RS256", () => {
    const flags = apiServerFlags({ ...mapping, usernamePrefix: "", groupsPrefix: "", algorithm: "ES256", authority: "PEM\n" });
    expect(flags).toContain("--oidc-username-prefix=-");
    expect(flags.join()).not.toContain("groups-prefix");
    expect(flags.slice(-2)).toEqual(["--oidc-signing-algs=ES256", "--oidc-ca-file=FILE"]);
  });
});

describe("a role binding", () => {
  const nameOf = (name: string, role = "view") => (roleBinding({ kind: "Group", name }, role) as { readonly metadata: { readonly name: string } }).metadata.name;

  it("has a name that Kubernetes takes, whatever the group is called", () => {
    expect(roleBinding({ kind: "Group", name: "oidc:Développeurs/EU " }, "view")).toMatchObject({
      metadata: { name: expect.stringMatching(/^oidc-d-veloppeurs-eu-view-[0-9a-f]{8}$/) },
      roleRef: { kind: "ClusterRole", name: "view" },
      subjects: [{ kind: "Group", name: "oidc:Développeurs/EU " }],
    });
    expect(nameOf("oidc:developers")).toBe("oidc-developers-view");
    expect(nameOf("日本")).toMatch(/^view-[0-9a-f]{8}$/);
    for (const name of ["a".repeat(2_000), `${"a".repeat(99)} b`, "日", " ", "/", "A"]) expect(nameOf(name, "x".repeat(90))).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  it("of another group has another name: kubectl apply would take the first one's rights away", () => {
    const names = ["oidc:日", "oidc:本", "a b", "A b", "a/b", "a_b"].map((name) => nameOf(name));
    expect(new Set(names).size).toBe(names.length);
    // The binding of system:masters, which every cluster has.
    expect(nameOf("日本", "cluster-admin")).not.toBe("cluster-admin");
  });
});
