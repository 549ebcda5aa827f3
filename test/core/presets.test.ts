import { describe, expect, it } from "vitest";
import { issuerProblemOf, type PresetName, presetFor, presets } from "../../src/core/presets.ts";

const tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";

describe("the kind of an issuer", () => {
  it.each([
    ["https://sso.example.com/realms/company", "keycloak"],
    ["https://sso.example.com/auth/realms/company/", "keycloak"],
    ["https://dex.example.com", "dex"],
    ["https://example.com/dex", "dex"],
    ["https://accounts.google.com", "google"],
    ["https://company.okta.com/oauth2/default", "okta"],
    ["https://dev-1.oktapreview.com", "okta"],
    [`https://login.microsoftonline.com/${tenant}/v2.0`, "entra"],
    [`https://sts.windows.net/${tenant}/`, "entra"],
    ["https://company.eu.auth0.com/", "auth0"],
    ["https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E", "cognito"],
    ["https://company.auth.eu-west-1.amazoncognito.com", "cognito"],
    [`https://${tenant}.ciamlogin.com/${tenant}/v2.0`, "entra"],
    ["https://gitlab.com", "gitlab"],
    ["https://id.example.com", "generic"],
    // Others' names in ours.
    ["https://okta.com.example.org", "generic"],
    ["https://notauth0.com/", "generic"],
    ["https://example.org/accounts.google.com", "generic"],
  ] satisfies readonly (readonly [string, PresetName])[])("%s is told by its URL: %s", (issuer, name) => {
    expect(presetFor(issuer)).toBe(name);
  });
});

describe("what cannot be right about an issuer URL", () => {
  it.each([
    ["keycloak", "https://sso.example.com", "https://sso.example.com/realms/REALM"],
    ["keycloak", "https://sso.example.com/realms/company/", "https://sso.example.com/realms/company"],
    ["dex", "https://example.com/dex/", "https://example.com/dex"],
    ["google", "https://accounts.google.com/", "https://accounts.google.com"],
    ["okta", "https://company-admin.okta.com", "https://company.okta.com"],
    ["okta", "https://company.okta.com/", "https://company.okta.com"],
    ["entra", "https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/TENANT-ID/v2.0"],
    ["entra", "https://login.microsoftonline.com/company.example.com/v2.0", "https://login.microsoftonline.com/TENANT-ID/v2.0"],
    ["entra", `https://login.microsoftonline.com/${tenant}`, `https://login.microsoftonline.com/${tenant}/v2.0`],
    ["entra", `https://login.microsoftonline.com/${tenant}/v2.0/`, `https://login.microsoftonline.com/${tenant}/v2.0`],
    ["entra", `https://sts.windows.net/${tenant}/`, `https://login.microsoftonline.com/${tenant}/v2.0`],
    ["auth0", "https://company.auth0.com", "https://company.auth0.com/"],
    ["cognito", "https://company.auth.eu-west-1.amazoncognito.com", "https://cognito-idp.eu-west-1.amazonaws.com/USER-POOL-ID"],
    ["cognito", "https://cognito-idp.eu-west-1.amazonaws.com", "https://cognito-idp.REGION.amazonaws.com/USER-POOL-ID"],
    ["cognito", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E/", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E"],
    ["gitlab", "https://gitlab.example.com/", "https://gitlab.example.com"],
  ] as const)("%s: %s was meant as %s", (name, issuer, meant) => {
    expect(issuerProblemOf(name, issuer)).toMatchObject({ problem: expect.any(String), meant });
    // What is meant is right, as far as its words are no placeholders.
    if (!/REALM|TENANT|USER-POOL/.test(meant)) expect(issuerProblemOf(presetFor(meant) === "generic" ? name : presetFor(meant), meant)).toBeUndefined();
  });

  it("is nothing for one that is as its kind writes it, nor for a kind that is not known", () => {
    expect(issuerProblemOf("keycloak", "https://sso.example.com/realms/company")).toBeUndefined();
    expect(issuerProblemOf("okta", "https://company.okta.com/oauth2/aus1")).toBeUndefined();
    expect(issuerProblemOf("generic", "https://id.example.com/")).toBeUndefined();
  });
});

it("every kind has a title, and says what its administrator has to do in words without a full stop", () => {
  for (const { title, notes } of Object.values(presets)) {
    expect(title).not.toBe("");
    for (const note of notes) expect(note).toMatch(/[^.]$/);
  }
});
