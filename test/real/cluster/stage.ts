import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { type AccountName, accounts } from "../../issuer/accounts.ts";
import { type Certificates, makeCertificates } from "../../issuer/certificates.ts";
import { makeProviderMemory, type ProviderMemory } from "../../issuer/provider-memory.ts";
import { type ProviderOptions, type RunningProvider, startProvider } from "../../issuer/provider.ts";
import { newPerson, type Person } from "../person.ts";
import type { Ran } from "../run-program.ts";
import { type ClusterParts, type RealCluster, startCluster } from "./real-cluster.ts";

/** What setup prints for the administrator (`setup -o json`). */
export interface Administrator {
  readonly authenticationConfiguration: string;
  readonly flags: readonly string[];
  readonly roleBinding: string;
  readonly kuberc: string;
}

/** A cluster that was never told of an issuer, an issuer that can be started again, and people. */
export interface Stage {
  readonly folder: string;
  readonly certificates: Certificates;
  readonly cluster: RealCluster;
  /** The issuer's URL, the same after a restart. */
  readonly issuer: string;
  readonly memory: ProviderMemory;
  /** Requests of one route and grant type since the beginning, all restarts together. */
  count(route: string, grantType?: string): number;
  /** Requests of a route that the issuer refused: `refresh_token 400`. */
  refused(route: string): readonly string[];
  restartIssuer(): Promise<void>;
  stopIssuer(): Promise<void>;
  startIssuer(): Promise<void>;
  /** A home with a kubeconfig that has the context `prod`, without a user. */
  person(name: AccountName): Person;
  /** Issuer, client, and what this machine needs, as a person types it to setup. */
  readonly identity: readonly string[];
  /** What `setup --dry-run` prints for the administrator. */
  plan(...more: readonly string[]): Promise<Administrator>;
  /** Applies an object as the administrator. */
  apply(kubectl: string, object: string): Promise<void>;
  /** Applies a printed role binding for a group, and waits until the server's authorizer knows it. */
  bind(kubectl: string, roleBinding: string): Promise<void>;
  stop(): Promise<void>;
}

export type IssuerChoices = Pick<ProviderOptions, "ttl" | "extraConfig" | "before">;

export async function setStage(parts: ClusterParts, choices: IssuerChoices = {}): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-cluster-"));
  const certificates = await makeCertificates(folder);
  const memory = await makeProviderMemory();
  const runs: RunningProvider[] = [];
  const people: Person[] = [];
  const start = async (port?: number): Promise<RunningProvider> => {
    const provider = await startProvider({ certificates, memory, canaries: true, port, ...choices });
    runs.push(provider);
    return provider;
  };
  const { issuer } = await start();
  const port = Number(new URL(issuer).port);
  const startIssuer = async () => {
    const again = await start(port);
    if (again.issuer !== issuer) throw new Error(`another program took the issuer's port ${port} while it was away`);
  };
  const stopIssuer = async () => runs.at(-1)?.stop();
  const cluster = await startCluster(parts, join(folder, "cluster"), certificates).catch(async (error: unknown) => {
    await stopIssuer();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  const identity = [
    `--oidc-issuer-url=${issuer}`,
    "--oidc-client-id=kubernetes",
    `--certificate-authority=${certificates.caFile}`,
    "--token-cache-storage=disk",
    "--listen-address=127.0.0.1:0",
  ];

  const person = (name: AccountName): Person => {
    const one = newPerson({ DEMO_CA_FILE: certificates.caFile, DEMO_ACCOUNT: name, DEMO_PASSWORD: accounts[name].password });
    people.push(one);
    one.writeContext(cluster.server, certificates.caFile);
    return one;
  };
  const administrator = person("bob");
  const asAdministrator = (kubectl: string, args: readonly string[], object?: string) => administrator.run(kubectl, args, { KUBECONFIG: cluster.adminKubeconfig }, object);
  const apply = async (kubectl: string, object: string) => {
    const applied = await asAdministrator(kubectl, ["apply", "-f", "-"], object);
    if (applied.status !== 0) throw new Error(applied.stderr);
  };

  return {
    folder,
    certificates,
    cluster,
    issuer,
    memory,
    identity,
    count: (route, grantType) => runs.reduce((sum, provider) => sum + provider.count(route, grantType), 0),
    refused: (wanted) =>
      runs.flatMap(({ requests }) => requests.filter(({ route, status }) => route === wanted && status >= 400).map(({ grantType, status }) => `${grantType} ${status}`)),
    startIssuer,
    stopIssuer,
    async restartIssuer() {
      await stopIssuer();
      await startIssuer();
    },
    person,
    async plan(...more) {
      return parsed<{ readonly administrator: Administrator }>(await administrator.oidc("setup", ...identity, "--dry-run", "-o", "json", ...more)).administrator;
    },
    apply,
    async bind(kubectl, roleBinding) {
      await apply(kubectl, roleBinding);
      const group = (parse(roleBinding) as { readonly subjects: readonly { readonly name: string }[] }).subjects[0]?.name;
      const may = () => asAdministrator(kubectl, ["auth", "can-i", "get", "configmaps", "--as=somebody", `--as-group=${group}`]);
      for (const end = Date.now() + 30_000; !(await may()).stdout.startsWith("yes"); ) {
        if (Date.now() > end) throw new Error(`half a minute after its role binding ${group} may do nothing`);
      }
    },
    async stop() {
      await cluster.stop();
      await stopIssuer();
      const faults = people.flatMap((person) => {
        try {
          person.remove();
          return [];
        } catch (error) {
          return [error];
        }
      });
      rmSync(folder, { recursive: true, force: true });
      if (faults.length > 0) throw faults[0];
    },
  };
}

/** The JSON on stdout of a program that went well; throws with what it said otherwise. */
export function parsed<T>({ status, stdout, stderr }: Ran): T {
  if (status !== 0) throw new Error(`exit ${status}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as T;
}

/** An object that people may look at. */
export const configMap = (name: string) => JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data: { of: name } });
