import { expect, it } from "vitest";
import { userLines } from "../../src/cli/setup-report.ts";

const mapping = {
  issuer: "https://id.example.com",
  audiences: ["kubernetes"],
  usernameClaim: "sub",
  usernamePrefix: "oidc:",
  groupsClaim: "groups",
  groupsPrefix: "oidc:",
  algorithm: "RS256",
  authority: undefined,
};
const linesOf = (groups: readonly string[], username: string | undefined = "oidc:ann") => userLines({ mapping, claims: {}, expected: { username, groups }, warnings: [] });

it("of thousands of groups shows twenty and counts the others", () => {
  const [, , line = ""] = linesOf(Array.from({ length: 3_000 }, (_, i) => `oidc:g${i}`));
  expect(line).toContain("oidc:g19, and 2980 more  (claim groups)");
  expect(line).not.toContain("oidc:g20,");
});

it("shows what an issuer says without its escapes, and no user where there is none", () => {
  expect(linesOf(["oidc:\u001b[31mred"]).join("\n")).not.toContain("\u001b");
  expect(userLines({ mapping, claims: {}, expected: { username: undefined, groups: [] }, warnings: [] })).toEqual([
    "the API server will see, when it is set up as below:",
    "  user name  nobody: the claim is not there  (claim sub)",
    "  groups     none  (claim groups)",
  ]);
  expect(userLines({ mapping, claims: undefined, expected: undefined, warnings: [] })).toEqual([]);
});
