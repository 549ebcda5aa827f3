import { describe, expect, it } from "vitest";
import { isAuth0, isCognito, isEntra, takesPublicClients, withUnsaid } from "../../src/core/issuer-kind.ts";
import { firstRedirectUri, logoutPage } from "../../src/core/logout-page.ts";

const tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";

describe("an issuer's kind", () => {
  it.each([
    [`https://login.microsoftonline.com/${tenant}/v2.0`, true],
    [`https://login.microsoftonline.us/${tenant}/v2.0`, true],
    ["https://login.microsoftonline.com/common/v2.0", true],
    [`https://${tenant}.ciamlogin.com/${tenant}/v2.0`, true],
    [`http://localhost:8080/${tenant}/v2.0`, true],
    [`https://id.example.com/${tenant}`, false],
    [`https://login.microsoftonline.com.example.org/`, false],
    ["https://notciamlogin.com/", false],
  ])("%s is Entra ID: %s", (issuer, is) => expect(isEntra(issuer)).toBe(is));

  it.each([
    ["https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E", true],
    ["https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_Ab12Cd34E", true],
    ["http://localhost:9229/eu-west-1_Ab12Cd34E", true],
    ["https://company.auth.eu-west-1.amazoncognito.com", false],
    ["https://id.example.com/eu-west-1", false],
    ["https://id.example.com/realms/a_b", false],
  ])("%s is a user pool of Amazon Cognito: %s", (issuer, is) => expect(isCognito(issuer)).toBe(is));

  it.each([
    ["https://company.eu.auth0.com/", true],
    ["https://notauth0.com/", false],
    ["not a URL", false],
  ])("%s is Auth0: %s", (issuer, is) => expect(isAuth0(issuer)).toBe(is));
});

describe("a document without `none` among the client's proofs", () => {
  it.each([
    [{ issuer: `https://login.microsoftonline.com/${tenant}/v2.0` }, true],
    [{ issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E" }, true],
    [{ issuer: "https://company.eu.auth0.com/" }, true],
    [{ issuer: "https://sso.example.com/realms/company" }, true],
    [{ issuer: "https://gitlab.example.com", claims_supported: ["sub_legacy"] }, true],
    [{ issuer: "https://accounts.google.com" }, false],
    [{ issuer: "https://id.example.com" }, false],
    [{}, false],
  ])("%j: it takes public clients all the same: %s", (metadata, takes) => expect(takesPublicClients(metadata)).toBe(takes));
});

describe("what GitLab does not say", () => {
  const gitlab = {
    token_endpoint: "https://example.com/gitlab/oauth/token",
    grant_types_supported: ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"],
    claims_supported: ["sub", "sub_legacy"],
  };
  it("is where device codes are asked for: beside its token endpoint, under a relative URL too", () =>
    expect(withUnsaid(gitlab)["device_authorization_endpoint"]).toBe("https://example.com/gitlab/oauth/authorize_device"));
  it.each([
    ["it says so itself", { ...gitlab, device_authorization_endpoint: "https://example.com/other" }, "https://example.com/other"],
    ["it is older and has no such grant", { ...gitlab, grant_types_supported: ["authorization_code"] }, undefined],
    ["it is none of GitLab's", { ...gitlab, claims_supported: ["sub"] }, undefined],
    ["its document is no sound one", { ...gitlab, token_endpoint: 1, claims_supported: "sub_legacy" }, undefined],
  ])("is not made up when %s", (_, metadata, endpoint) => expect((withUnsaid(metadata) as Record<string, unknown>)["device_authorization_endpoint"]).toBe(endpoint));
});

describe("the page that ends the browser's session", () => {
  const logout = {
    issuer: "https://id.example.com",
    endSessionEndpoint: "https://id.example.com/logout?x=1",
    clientId: "k8s",
    hint: "ann@example.com",
    redirectUri: "http://localhost:8000",
  };
  it("gets the client and the account, and keeps what its address has", () =>
    expect(logoutPage(logout)).toBe("https://id.example.com/logout?x=1&client_id=k8s&logout_hint=ann%40example.com"));
  it("of Amazon Cognito gets where to go afterwards: the login page, for a redirect URL that is registered", () =>
    expect(
      logoutPage({
        ...logout,
        issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E",
        endSessionEndpoint: "https://company.auth.eu-west-1.amazoncognito.com/logout",
      }),
    ).toBe("https://company.auth.eu-west-1.amazoncognito.com/logout?client_id=k8s&response_type=code&scope=openid&redirect_uri=http%3A%2F%2Flocalhost%3A8000"));
  it.each([
    [["127.0.0.1:18000"], "http://localhost:18000"],
    [["[::1]:9000", "127.0.0.1:8000"], "http://localhost:9000"],
    [["127.0.0.1:0"], "http://localhost:8000"],
    [[], "http://localhost:8000"],
  ])("of the addresses %j the first is what is registered: %s", (addresses, uri) => expect(firstRedirectUri(addresses)).toBe(uri));
});
