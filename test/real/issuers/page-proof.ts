import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { startApiServer } from "../../cluster/api-server.ts";
import { blockOf } from "../../docs/fenced-blocks.ts";
import { type ClusterParts, startCluster } from "../cluster/real-cluster.ts";
import { type Caller, claimsOf } from "./caller.ts";
import { runPage } from "./page.ts";
import type { RealIssuer } from "./real-issuer.ts";

/** As much of an AuthenticationConfiguration as the pages write. */
interface Rules {
  readonly jwt: readonly [
    {
      readonly issuer: { readonly url: string; readonly audiences: readonly string[]; readonly certificateAuthority?: string };
      readonly claimMappings: { readonly username: { readonly claim: string }; readonly groups: { readonly claim: string } };
    },
  ];
}

export interface PageProof {
  issuer(): RealIssuer;
  caller(): Caller;
  /** Of docs/how-to, without its ending: its blocks are `NAME-setup` and `NAME-authentication`. */
  readonly page: string;
  /** Alice as the API server is to see her. */
  readonly username: string;
  readonly groups: readonly string[];
  /** The kubectl that is used. Its file must have that name. */
  readonly kubectl: { readonly path: string };
  /** The API server, which is told what the page says; its certificate is of the issuer's authority. */
  cluster(): Promise<{ readonly server: string; stop(): Promise<void> }>;
}

/** What the page says the API server is to be told, for this issuer. */
const rulesOf = (issuer: RealIssuer, page: string): Rules => {
  const rules = parse(issuer.filled(blockOf(`${page}.md`, `${page}-authentication`))) as Rules;
  const [first] = rules.jwt;
  return { ...rules, jwt: [{ ...first, issuer: { ...first.issuer, certificateAuthority: issuer.certificates.caPem } }] };
};

/** The tests' own API server, for where no other is there. */
export async function smallCluster(issuer: RealIssuer, page: string): Promise<{ readonly server: string; stop(): Promise<void> }> {
  const [{ claimMappings }] = rulesOf(issuer, page).jwt;
  const { url, stop } = await startApiServer({
    certificates: issuer.certificates,
    issuer: issuer.issuer,
    issuerCa: issuer.certificates.caPem,
    clientId: issuer.clientId,
    usernameClaim: claimMappings.username.claim,
    groupsClaim: claimMappings.groups.claim,
  });
  return { server: url, stop };
}

/** A real one, in a folder of its own. */
export async function realCluster(parts: ClusterParts, issuer: RealIssuer, page: string): Promise<{ readonly server: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-cluster-"));
  const cluster = await startCluster(parts, folder, issuer.certificates, stringify(rulesOf(issuer, page)));
  return {
    server: cluster.server,
    async stop() {
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The page's setup, once, as it stands there: from a kubeconfig without a user to `kubectl auth whoami`. */
export function provesThePage({ issuer, caller, page, username, groups, cluster, kubectl }: PageProof): void {
  it(`the page's setup and configuration: kubectl is ${username} to the API server, in ${groups.join(" and ")}`, async () => {
    const api = await cluster();
    try {
      await proveThePage(api.server);
    } finally {
      await api.stop();
    }
  });

  async function proveThePage(server: string): Promise<void> {
    const { home } = caller();
    const config = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "prod",
      clusters: [{ name: "prod", cluster: { server, "certificate-authority": join(home.folder, "issuer-ca.pem") } }],
      contexts: [{ name: "prod", context: { cluster: "prod", user: "" } }],
    };
    writeFileSync(join(home.folder, "kubeconfig"), JSON.stringify(config), { mode: 0o600 });
    const run = (block: string) => runPage(caller(), issuer(), block, dirname(kubectl.path));
    const setup = blockOf(`${page}.md`, `${page}-setup`).trimEnd();
    const planned = await run(`${setup} --dry-run -o json`);
    expect(planned.status, planned.stderr).toBe(0);
    const { authenticationConfiguration } = (JSON.parse(planned.stdout) as { readonly administrator: { readonly authenticationConfiguration: string } }).administrator;
    expect(parse(authenticationConfiguration)).toMatchObject(parse(issuer().filled(blockOf(`${page}.md`, `${page}-authentication`))) as object);
    const done = await run(`${setup} --yes`);
    expect(done.status, done.stderr).toBe(0);
    expect(done.stderr).toContain(`the API server sees ${username}, in ${groups.join(", ")}`);
    const seen = await run("kubectl auth whoami -o json");
    expect(seen.status, seen.stderr).toBe(0);
    const { userInfo } = (
      JSON.parse(seen.stdout) as { readonly status: { readonly userInfo: { readonly username: string; readonly groups: readonly string[]; readonly extra?: unknown } } }
    ).status;
    expect(userInfo.username).toBe(username);
    expect([...userInfo.groups].sort()).toEqual([...groups, "system:authenticated"].sort());
    const { jti } = claimsOf((await run("kubectl oidc token")).stdout.trim());
    if (jti !== undefined) expect(userInfo.extra).toMatchObject({ "authentication.kubernetes.io/credential-id": [`JTI=${jti}`] });
  }
}
