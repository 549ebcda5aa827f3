import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { makeCertificates } from "../issuer/certificates.ts";
import { type ProviderOptions, type RunningProvider, startProvider } from "../issuer/provider.ts";
import { hasProgram } from "../programs.ts";
import { type Home, newHome, programCommand } from "./program.ts";

const run = promisify(execFile);
const browserProgram = resolve(import.meta.dirname, "../../dist-dev/browser-command.mjs");

export const hasKubectl = hasProgram("kubectl");

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A context of the kubeconfig: its user's further options, and what its cluster says to the plugin. */
export interface StagedContext {
  readonly options?: readonly string[];
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of another context, whose user this one has too. */
  readonly user?: string;
}

/** A real OpenID Provider, an API server that trusts it, a home, and a browser whose person is the one of the login's hint. */
export interface ProviderStage {
  readonly home: Home;
  readonly provider: RunningProvider;
  readonly api: ApiServer;
  writeContexts(contexts: Readonly<Record<string, StagedContext>>): void;
  /** PEM of the authority that provider and API server have. */
  readonly caFile: string;
  /** Options of a session at that provider. */
  readonly options: readonly string[];
  /** Runs kubectl with that kubeconfig. */
  kubectl(args: readonly string[], more?: Readonly<Record<string, string>>): Promise<Ran>;
  /** The stored sessions' secret items. */
  items(): readonly { readonly refreshToken?: string; readonly dpopKey?: string; readonly subject?: string }[];
  stop(): Promise<void>;
}

export async function startProviderStage(choices: Omit<ProviderOptions, "certificates"> = {}): Promise<ProviderStage> {
  const home = newHome();
  const certificates = await makeCertificates(home.folder);
  const provider = await startProvider({ ...choices, certificates });
  const api = await startApiServer({ certificates, issuer: provider.issuer, issuerCa: certificates.caPem, clientId: "kubernetes" });
  const [command, ...programArgs] = programCommand;
  const options = [
    `--oidc-issuer-url=${provider.issuer}`,
    "--oidc-client-id=kubernetes",
    "--oidc-extra-scope=email,groups",
    `--certificate-authority=${certificates.caFile}`,
    "--token-cache-storage=disk",
    "--listen-address=127.0.0.1:0",
    `--browser-command='${process.execPath}' '${browserProgram}'`,
    "--authentication-timeout-sec=20",
  ];
  const env = { ...home.env, DEMO_CA_FILE: certificates.caFile };
  const execOf = ({ options: more = [] }: StagedContext) => ({
    apiVersion: "client.authentication.k8s.io/v1",
    command,
    args: [...programArgs, "get-token", ...options, ...more],
    provideClusterInfo: true,
    interactiveMode: "IfAvailable",
  });
  return {
    home,
    provider,
    api,
    caFile: certificates.caFile,
    options,
    writeContexts(contexts) {
      const all = Object.entries(contexts);
      const config = {
        apiVersion: "v1",
        kind: "Config",
        "current-context": all[0]?.[0],
        clusters: all.map(([name, { config: extension }]) => ({
          name,
          cluster: {
            server: api.url,
            "certificate-authority": certificates.caFile,
            ...(extension === undefined ? {} : { extensions: [{ name: "client.authentication.k8s.io/exec", extension }] }),
          },
        })),
        contexts: all.map(([name, { user = name }]) => ({ name, context: { cluster: name, user } })),
        users: all.filter(([, { user }]) => user === undefined).map(([name, context]) => ({ name, user: { exec: execOf(context) } })),
      };
      writeFileSync(join(home.folder, "kubeconfig"), `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
    },
    async kubectl(args, more = {}) {
      try {
        const { stdout, stderr } = await run("kubectl", [...args], { env: { ...env, ...more }, timeout: 25_000 });
        return { status: 0, stdout, stderr };
      } catch (error) {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        return { status: Number(code), stdout, stderr };
      }
    },
    items() {
      const folder = join(home.data, "refresh");
      return readdirSync(folder).map((name) => JSON.parse((JSON.parse(readFileSync(join(folder, name), "utf8")) as { value: string }).value));
    },
    async stop() {
      await api.stop();
      await provider.stop();
      home.remove();
    },
  };
}
