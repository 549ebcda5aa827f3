import { describe, expect, it } from "vitest";
import { azureStanza } from "../../src/core/azure-stanza.ts";

const server = "--server-id=6dae42f8-4368-4678-94ff-3960e28e3630";
const usual = [server, "--client-id=80faf920-1908-4b52-b5ef-a8e7bedfc67a", "--tenant-id=9c0b5e4e-0000-0000-0000-000000000001"];

describe("a stanza of Azure's kubelogin", () => {
  it("that logs in by device code, which is its default, is said with our options", () => {
    expect(azureStanza(usual, {})).toEqual({
      args: [
        "get-token",
        "--oidc-issuer-url=https://login.microsoftonline.com/9c0b5e4e-0000-0000-0000-000000000001/v2.0",
        "--oidc-client-id=80faf920-1908-4b52-b5ef-a8e7bedfc67a",
        "--oidc-extra-scope=6dae42f8-4368-4678-94ff-3960e28e3630/.default",
        "--grant-type=device-code",
        "--oidc-use-access-token",
      ],
      losses: [],
    });
  });

  it.each([
    ["words apart", [...usual.flatMap((arg) => arg.split("=")), "--login", "interactive"]],
    ["short names", [server, "--client-id=80faf920-1908-4b52-b5ef-a8e7bedfc67a", "-t", "9c0b5e4e-0000-0000-0000-000000000001", "-l", "interactive"]],
    ["the last of two", ["--login=spn", ...usual, "--login=interactive"]],
    ["switches that are off", [...usual, "--login=interactive", "--legacy=false", "--pop-enabled=false"]],
  ])("is understood: %s", (_, args) => {
    const stanza = azureStanza(args, {});
    expect("args" in stanza && stanza.args).toEqual([
      "get-token",
      "--oidc-issuer-url=https://login.microsoftonline.com/9c0b5e4e-0000-0000-0000-000000000001/v2.0",
      "--oidc-client-id=80faf920-1908-4b52-b5ef-a8e7bedfc67a",
      "--oidc-extra-scope=6dae42f8-4368-4678-94ff-3960e28e3630/.default",
      "--oidc-use-access-token",
    ]);
  });

  it.each([
    ["AzurePublicCloud", "login.microsoftonline.com"],
    ["AzureUSGovernmentCloud", "login.microsoftonline.us"],
    ["AzureUSGovernment", "login.microsoftonline.us"],
    ["AzureChinaCloud", "login.partner.microsoftonline.cn"],
    ["azurechinacloud", "login.partner.microsoftonline.cn"],
  ])("of the cloud %s has the authority %s", (cloud, host) => {
    const stanza = azureStanza([...usual, "--environment", cloud], {});
    expect("args" in stanza && stanza.args[1]).toBe(`--oidc-issuer-url=https://${host}/9c0b5e4e-0000-0000-0000-000000000001/v2.0`);
  });

  it.each([
    ["--login=spn", "service principal"],
    ["--login=msi", "managed identity"],
    ["--login=workloadidentity", "workload"],
    ["--login=azurecli", "Azure CLI"],
    ["--login=azd", "Azure Developer CLI"],
    ["--login=ropc", "RFC 9700"],
    ["--login=new-one", "new-one is not known here"],
    ["--pop-enabled", "bound to a key"],
    ["--legacy", "--legacy"],
    ["--use-azurerm-env-vars", "Terraform"],
    ["--tenant-id=example.onmicrosoft.com", "is a name"],
    ["--tenant-id=common", "is a name"],
    ["--environment=AzureStackCloud", "AzureStackCloud is not known here"],
  ])("with %s cannot be carried over, and says why", (arg, why) => {
    expect(azureStanza([...usual, arg], {})).toEqual({ problem: expect.stringContaining(why) });
  });

  it("with a login or a cloud that is named like a member of every object is not known here", () => {
    for (const word of ["--login=constructor", "--environment=constructor", "--login=__proto__"])
      expect(azureStanza([...usual, word], {})).toEqual({ problem: expect.stringMatching(/^its (login|cloud) \w+ is not known here$/) });
  });

  it("that does not say who and where cannot be carried over", () => {
    expect(azureStanza([server], {})).toEqual({ problem: "its args do not say --client-id and --tenant-id" });
    expect(azureStanza([server, "--client-id=", "--tenant-id=t"], {})).toEqual({ problem: "its args do not say --client-id" });
  });

  it("is overridden by the stanza's own variables, as that program does", () => {
    expect(azureStanza(usual, { AAD_LOGIN_METHOD: "azurecli" })).toEqual({ problem: expect.stringContaining("Azure CLI") });
    const stanza = azureStanza([server], { AZURE_CLIENT_ID: "c", AZURE_TENANT_ID: "9c0b5e4e-0000-0000-0000-000000000001" });
    expect("args" in stanza && stanza.args.slice(1, 3)).toEqual([
      "--oidc-issuer-url=https://login.microsoftonline.com/9c0b5e4e-0000-0000-0000-000000000001/v2.0",
      "--oidc-client-id=c",
    ]);
  });

  it("says what it leaves out, but for the cache", () => {
    expect(azureStanza([...usual, "--redirect-url=http://localhost:9", "--token-cache-dir=/x", "-v=2", "--timeout=9s"], {})).toMatchObject({
      losses: ["--redirect-url has no meaning in kubectl-oidc and is left out"],
    });
  });
});
