import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { home, issuer } from "./stage.ts";

/** Tokens of a login that another program made at the test's issuer. */
export interface OldLogin {
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Logs in without this program. */
export async function loginElsewhere(): Promise<OldLogin> {
  const answer = await fetch(`${issuer.url}/token`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "grant_type=password&client_id=kubernetes&username=ann&password=of-the-test-only",
  });
  const tokens = (await answer.json()) as { readonly id_token: string; readonly access_token: string; readonly refresh_token: string };
  return { idToken: tokens.id_token, accessToken: tokens.access_token, refreshToken: tokens.refresh_token };
}

/** What kubelogin has under this name of its hash. */
export function writeKubeloginCache(
  login: { readonly idToken: string; readonly refreshToken?: string },
  folder = join(home.folder, "home", ".kube", "cache", "oidc-login"),
  name = "1",
): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, createHash("sha256").update(name).digest("hex"));
  writeFileSync(file, JSON.stringify({ id_token: login.idToken, refresh_token: login.refreshToken ?? "" }), { mode: 0o600 });
  writeFileSync(`${file}.lock`, "");
  return file;
}

export const kubeconfigFile = () => join(home.folder, "kubeconfig");
export const kubeconfigText = (file = kubeconfigFile()) => readFileSync(file, "utf8");

/** A kubeconfig with one context `prod`, whose user `ann` is this YAML, indented by four. */
export function writeUser(user: string, file = kubeconfigFile()): string {
  const text = `# of the platform team
apiVersion: v1
kind: Config
current-context: prod
clusters:
- name: prod
  cluster:
    server: https://k8s.example.com:6443 # behind the VPN
contexts:
- name: prod
  context:
    cluster: prod
    user: ann
users:
- name: ann # that is you
  user:
${user}
`;
  writeFileSync(file, text, { mode: 0o640 });
  return text;
}

export const kubeloginUser = (...more: string[]) => `    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: kubectl
      args:
      - oidc-login
      - get-token
      # ours
      - --oidc-issuer-url=${issuer.url}   # the issuer
      - --oidc-client-id=kubernetes
${more.map((arg) => `      - ${arg}\n`).join("")}      env: null
      provideClusterInfo: false`;

export const providerUser = (login: Partial<OldLogin>, ...more: string[]) => `    auth-provider:
      name: oidc
      config:
        idp-issuer-url: ${issuer.url}
        client-id: kubernetes
${[...(login.idToken === undefined ? [] : [`id-token: ${login.idToken}`]), ...(login.refreshToken === undefined ? [] : [`refresh-token: ${login.refreshToken}`]), ...more]
  .map((line) => `        ${line}`)
  .join("\n")}`;

/** The secret item of the only session, as it lies in the store; undefined when there is none. */
export function storedItem(): { readonly refreshToken?: string; readonly servers: readonly { readonly origin: string }[]; readonly subject?: string } | undefined {
  const folder = join(home.data, "refresh");
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.json$/.test(name)) : [];
  if (names.length > 1) throw new Error("several sessions are stored");
  return names[0] === undefined ? undefined : JSON.parse((JSON.parse(readFileSync(join(folder, names[0]), "utf8")) as { readonly value: string }).value);
}

/** Stands for what differs from run to run in a text that people see. */
export const golden = (text: string) =>
  text
    .replaceAll(home.folder, "HOME")
    .replaceAll(issuer.url, "https://id.example.com")
    .replace(/[0-9a-f]{64}/g, "HASH")
    .replace(/client-secrets\/[0-9a-f]{16}/g, "client-secrets/NAME");

export interface MigrateJson {
  readonly written: boolean;
  readonly users: readonly {
    readonly user: string;
    readonly contexts: readonly string[];
    readonly kind: string;
    readonly action: string;
    readonly refreshToken: string;
    readonly losses: readonly string[];
  }[];
  readonly changes: readonly { readonly file: string; readonly diff: string; readonly backup: string }[];
}
