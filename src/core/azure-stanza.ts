import { lastValue, type StanzaWord, stanzaWords } from "./stanza-words.ts";
import { safeText } from "./untrusted-text.ts";

/** Azure's program as our arguments; or why it cannot be said with them. */
export type AzureStanza = { readonly args: readonly string[]; readonly losses: readonly string[] } | { readonly problem: string };

/** Its options without a value; all others take one. */
const switches: readonly string[] = ["legacy", "use-azurerm-env-vars", "pop-enabled", "disable-environment-override", "disable-instance-discovery", "help"];
const short = { l: "login", t: "tenant-id", e: "environment", v: "v" } as const;

/** The authorities of the clouds (learn.microsoft.com, "National clouds"); names as Azure/go-autorest has them, any case. */
const authorities: Readonly<Record<string, string>> = {
  azurepubliccloud: "login.microsoftonline.com",
  azurecloud: "login.microsoftonline.com",
  azureusgovernment: "login.microsoftonline.us",
  azureusgovernmentcloud: "login.microsoftonline.us",
  azurechinacloud: "login.partner.microsoftonline.cn",
};

const machineLogin = (what: string) => `it logs in as ${what}, for which kubectl-oidc has no way yet`;

/** Why a login of that name is not ours. */
const otherLogins: Readonly<Record<string, string>> = {
  spn: machineLogin("a service principal"),
  msi: machineLogin("a managed identity"),
  workloadidentity: machineLogin("a workload"),
  azurecli: "it takes its token from the Azure CLI (az), and has no login of its own",
  azd: "it takes its token from the Azure Developer CLI (azd), and has no login of its own",
  azurepipelines: machineLogin("a pipeline of Azure DevOps"),
  ropc: "it sends a user name and a password to Entra ID, which RFC 9700 forbids",
};

/** Options that change nothing of who logs in and for what. */
const silent: readonly string[] = ["login", "tenant-id", "environment", "server-id", "client-id", "timeout", "disable-environment-override", "v"];

/**
 * The args of Azure's kubelogin, which names the server's application (`--server-id`), as ours. AKS takes an access token for that application;
 * whoever verifies it is the API server, so it does not matter that Entra ID names another issuer in it (sts.windows.net) than in the ID token.
 * `env`: of the stanza, which that program lets override its args.
 */
export function azureStanza(args: readonly string[], env: Readonly<Record<string, string>>): AzureStanza {
  const words = stanzaWords(args, (name) => !switches.includes(name), short);
  const isOn = (name: string) => words.some((word) => word.name === name && word.value !== "false");
  const serverId = lastValue(words, "server-id");
  const clientId = env["AZURE_CLIENT_ID"] ?? env["AAD_SERVICE_PRINCIPAL_CLIENT_ID"] ?? lastValue(words, "client-id");
  const tenant = env["AZURE_TENANT_ID"] ?? lastValue(words, "tenant-id");
  const cloud = lastValue(words, "environment") || "AzurePublicCloud";
  const authority = Object.hasOwn(authorities, cloud.toLowerCase()) ? authorities[cloud.toLowerCase()] : undefined;
  const login = (env["AAD_LOGIN_METHOD"] ?? lastValue(words, "login")) || "devicecode";
  const problem =
    (isOn("pop-enabled") ? "it asks for tokens that are bound to a key (--pop-enabled), which kubectl-oidc does not make" : undefined) ??
    (isOn("legacy") ? "it asks for the former kind of token (--legacy), which Entra ID's OpenID Connect endpoint does not give" : undefined) ??
    (isOn("use-azurerm-env-vars") ? "it takes its options from variables of Terraform (--use-azurerm-env-vars)" : undefined) ??
    (login === "devicecode" || login === "interactive"
      ? undefined
      : ((Object.hasOwn(otherLogins, login) ? otherLogins[login] : undefined) ?? `its login ${safeText(login, 40)} is not known here`)) ??
    missing({ "server-id": serverId, "client-id": clientId, "tenant-id": tenant }) ??
    (isTenantId(tenant) ? undefined : `its tenant ${safeText(tenant, 80)} is a name, and Entra ID's issuer has the tenant's ID in it: set --tenant-id to that`) ??
    (authority === undefined ? `its cloud ${safeText(cloud, 40)} is not known here` : undefined);
  if (problem !== undefined) return { problem };
  return {
    args: [
      "get-token",
      `--oidc-issuer-url=https://${authority}/${tenant}/v2.0`,
      `--oidc-client-id=${clientId}`,
      `--oidc-extra-scope=${serverId}/.default`,
      ...(login === "devicecode" ? ["--grant-type=device-code"] : []),
      "--oidc-use-access-token",
    ],
    losses: [...lossesOf(words)],
  };
}

function missing(values: Readonly<Record<string, string | undefined>>): string | undefined {
  const names = Object.entries(values).flatMap(([name, value]) => (value === undefined || value === "" ? [`--${name}`] : []));
  return names.length === 0 ? undefined : `its args do not say ${names.join(" and ")}`;
}

function* lossesOf(words: readonly StanzaWord[]): Iterable<string> {
  for (const name of new Set(words.map((word) => word.name))) {
    if (name === undefined || silent.includes(name)) continue;
    if (name === "token-cache-dir" || name === "cache-dir") continue;
    yield `--${safeText(name, 60)} has no meaning in kubectl-oidc and is left out`;
  }
}

const isTenantId = (text: string | undefined) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text ?? "");

/** Variables that Azure's program reads and nobody else here. */
export const isAzureVariable = (name: string): boolean => /^(AAD_|AZURE_|ARM_)/.test(name);
