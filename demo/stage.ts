import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ApiServer, startApiServer } from "../test/cluster/api-server.ts";
import { writeKubeconfig } from "../test/cluster/kubeconfig.ts";
import { accounts } from "../test/issuer/accounts.ts";
import { makeCertificates } from "../test/issuer/certificates.ts";
import { type RunningProvider, startProvider } from "../test/issuer/provider.ts";

/** Seconds that an ID token lives in the scripted demo, so that its end can be waited for. */
export const tokenLife = 15;

/** Issuer, API server and kubeconfig in a folder of their own; nothing of the person's home is read or written. */
export interface Stage {
  readonly provider: RunningProvider;
  readonly api: ApiServer;
  readonly folder: string;
  readonly kubeconfig: string;
  /** The environment of kubectl and the plugin. */
  readonly env: Readonly<Record<string, string>>;
  /** The plugin's program and options. */
  readonly plugin: string;
  readonly options: readonly string[];
  strike(): Promise<void>;
}

/**
 * `scripted`: a program plays the person and the browser, and the kubeconfig runs the plugin already. Else tokens live as usual, the real
 * browser opens, and the kubeconfig's context has no user yet: `kubectl oidc setup` writes it. `ports` are tried first.
 */
export async function setStage({ scripted, ports }: { readonly scripted: boolean; readonly ports?: { readonly issuer: number; readonly api: number } }): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-demo-"));
  for (const name of ["home", "data", "config"]) mkdirSync(join(folder, name), { mode: 0o700 });
  const certificates = await makeCertificates(folder);
  const provider = await startProvider({ certificates, port: ports?.issuer, ...(scripted ? { ttl: { idToken: tokenLife } } : {}) });
  const api = await startApiServer({ certificates, port: ports?.api, issuer: provider.issuer, issuerCa: certificates.caPem, clientId: "kubernetes" });
  const plugin = fileURLToPath(new URL("../dist/kubectl-oidc.cjs", import.meta.url));
  const browser = fileURLToPath(new URL("browser-command.mjs", import.meta.url));
  const options = [
    `--oidc-issuer-url=${provider.issuer}`,
    "--oidc-client-id=kubernetes",
    "--oidc-extra-scope=email,groups",
    `--certificate-authority=${certificates.caFile}`,
    // The demo leaves nothing in the person's keychain.
    "--token-cache-storage=disk",
    ...(scripted ? [`--browser-command='${process.execPath}' '${browser}'`, "--listen-address=127.0.0.1:0", "--authentication-timeout-sec=30"] : []),
  ];
  const kubeconfig = join(folder, "kubeconfig");
  if (!scripted) writeKubeconfigWithoutUser(kubeconfig, api.url, certificates.caFile);
  else writeKubeconfig(kubeconfig, { server: api.url, caFile: certificates.caFile, command: process.execPath, args: [plugin, "get-token", ...options] });
  const env = {
    ...keptVariables(["PATH", "SystemRoot", "TEMP", "TMP", "LANG"]),
    HOME: join(folder, "home"),
    USERPROFILE: join(folder, "home"),
    XDG_DATA_HOME: join(folder, "data"),
    XDG_CONFIG_HOME: join(folder, "config"),
    LOCALAPPDATA: join(folder, "data"),
    APPDATA: join(folder, "config"),
    KUBECONFIG: kubeconfig,
    ...(scripted ? { DEMO_CA_FILE: certificates.caFile, DEMO_ACCOUNT: "alice", DEMO_PASSWORD: accounts.alice.password } : {}),
  };
  return {
    provider,
    api,
    folder,
    kubeconfig,
    env,
    plugin,
    options,
    async strike() {
      await api.stop();
      await provider.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As an administrator hands it out: the cluster, and nobody yet. */
function writeKubeconfigWithoutUser(file: string, server: string, caFile: string): void {
  const text = `apiVersion: v1
kind: Config
current-context: demo
clusters:
- name: demo
  cluster:
    server: ${server}
    certificate-authority: ${caFile}
contexts:
- name: demo
  context:
    cluster: demo
`;
  writeFileSync(file, text, { mode: 0o600 });
}

function keptVariables(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}
