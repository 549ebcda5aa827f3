import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Certificates } from "../../issuer/certificates.ts";
import { freePort, type ServerProcess, startServer } from "../server-process.ts";

/** What was asked of the API server, as its own audit log has it. */
export interface Audited {
  readonly verb: string;
  readonly uri: string;
  readonly user: string;
  readonly groups: readonly string[];
  readonly status: number;
  /** `JTI=…` of the token; undefined for other credentials. */
  readonly credentialId: string | undefined;
}

export interface RealCluster {
  /** `https://127.0.0.1:PORT` */
  readonly server: string;
  /** Kubeconfig of an administrator, by a token that has nothing to do with OIDC. */
  readonly adminKubeconfig: string;
  /** Writes the AuthenticationConfiguration while the server runs. Resolves when the server has taken it. */
  reconfigure(authenticationConfiguration: string): Promise<void>;
  audit(): readonly Audited[];
  /** The server's own words since it was first started. */
  log(): string;
  /** Ends the API server; etcd goes on. */
  stopServer(signal?: NodeJS.Signals): Promise<void>;
  /** `oidcFlags`: with these in the place of the configuration; `FILE` is the issuer's authority. */
  startServer(oidcFlags?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

export interface ClusterParts {
  readonly etcd: { readonly path: string };
  readonly "kube-apiserver": { readonly path: string };
}

/** An AuthenticationConfiguration that takes no token: how a cluster is before its administrator sets OIDC up. */
export const withoutIssuers = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: []\n";

/** Everything that is asked, without bodies. */
const auditPolicy = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n";

/**
 * etcd and kube-apiserver with RBAC in a folder of the test's, on loopback. Its tokens come from the given AuthenticationConfiguration, as
 * `--authentication-config`. It rejects with the end of the server's log when one does not start: for a configuration that the server refuses, too.
 */
export async function startCluster(parts: ClusterParts, folder: string, certificates: Certificates, authenticationConfiguration = withoutIssuers): Promise<RealCluster> {
  mkdirSync(folder, { recursive: true });
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  const etcd = await startEtcd(parts.etcd.path, folder);
  const port = await freePort();
  const server = `https://127.0.0.1:${port}`;
  const adminToken = randomBytes(24).toString("base64url");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const serviceAccounts = file("service-accounts.pem", String(privateKey.export({ type: "pkcs8", format: "pem" })));
  const config = file("authentication-config.yaml", authenticationConfiguration);
  const auditLog = join(folder, "audit.log");
  const log = join(folder, "kube-apiserver.log");
  const flags = {
    "etcd-servers": etcd.url,
    "etcd-prefix": "/registry",
    "secure-port": port,
    "bind-address": "127.0.0.1",
    "advertise-address": "127.0.0.1",
    "endpoint-reconciler-type": "none",
    "tls-cert-file": file("server.pem", certificates.certPem),
    "tls-private-key-file": file("server.key", certificates.keyPem),
    "token-auth-file": file("tokens.csv", `${adminToken},administrator,administrator,"system:masters"\n`),
    "authorization-mode": "RBAC",
    "service-account-issuer": server,
    "service-account-key-file": serviceAccounts,
    "service-account-signing-key-file": serviceAccounts,
    "service-cluster-ip-range": "10.0.0.0/24",
    "audit-policy-file": file("audit-policy.yaml", auditPolicy),
    "audit-log-path": auditLog,
    // Every request at once: a test looks right after it.
    "audit-log-mode": "blocking-strict",
    v: 2,
  };
  const administrator = { origin: server, ca: certificates.caPem, token: adminToken };
  const start = (authentication: readonly string[] = [`--authentication-config=${config}`]) =>
    startServer({
      program: parts["kube-apiserver"].path,
      args: [...Object.entries(flags).map(([name, value]) => `--${name}=${value}`), ...authentication],
      cwd: folder,
      log,
      ready: async () => (await ask(administrator, "/readyz")).status === 200,
      within: 120,
    });
  let running: ServerProcess | undefined;
  try {
    running = await start();
    await aggregateRoles(administrator);
  } catch (error) {
    await running?.stop("SIGKILL");
    await etcd.process.stop("SIGKILL");
    throw error;
  }
  const said = () => (existsSync(log) ? readFileSync(log, "utf8") : "");

  return {
    server,
    adminKubeconfig: file("admin-kubeconfig", adminConfig(server, certificates.caFile, adminToken)),
    async reconfigure(configuration) {
      // The server does not say that nothing changed.
      if (configuration === readFileSync(config, "utf8")) return;
      const before = said().length;
      // Whole at once: the server looks as soon as anything changes.
      renameSync(file("authentication-config.new", configuration), config);
      for (const end = Date.now() + 90_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
        const since = said().slice(before);
        if (/reloaded authentication config/i.test(since)) return;
        const refused = /failed to (?:load|validate|update)[^\n]*authentication[^\n]*/i.exec(since)?.[0];
        if (refused !== undefined || Date.now() > end) throw new Error(refused ?? `the API server did not take the configuration:\n${since.slice(-2_000)}`);
      }
    },
    audit: () => readAudit(auditLog),
    log: said,
    async stopServer(signal) {
      await running?.stop(signal);
      running = undefined;
    },
    async startServer(oidcFlags) {
      running = await start(oidcFlags?.map((flag) => flag.replace(/=FILE$/, `=${certificates.caFile}`)));
    },
    async stop() {
      await running?.stop("SIGKILL");
      await etcd.process.stop("SIGKILL");
    },
  };
}

async function startEtcd(program: string, folder: string): Promise<{ readonly url: string; readonly process: ServerProcess }> {
  const [client, peer] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
  const flags = {
    "data-dir": join(folder, "etcd"),
    "listen-client-urls": client,
    "advertise-client-urls": client,
    "listen-peer-urls": peer,
    "initial-advertise-peer-urls": peer,
    "initial-cluster": `default=${peer}`,
  };
  const process = await startServer({
    program,
    args: [...Object.entries(flags).map(([name, value]) => `--${name}=${value}`), "--unsafe-no-fsync"],
    cwd: folder,
    log: join(folder, "etcd.log"),
    ready: async () => (await ask({ origin: client }, "/health")).status === 200,
    within: 60,
  });
  return { url: client, process };
}

interface Origin {
  readonly origin: string;
  readonly ca?: string;
  readonly token?: string;
}

/** One request: GET, or PATCH with a merge patch. Rejects when there is no answer in five seconds. */
function ask({ origin, ca, token }: Origin, path: string, patch?: object): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...(patch === undefined ? {} : { "content-type": "application/merge-patch+json" }) };
    const options = { method: patch === undefined ? "GET" : "PATCH", timeout: 5_000, agent: false as const, headers, ...(ca === undefined ? {} : { ca }) };
    const request = (ca === undefined ? http : https).request(`${origin}${path}`, options, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, text: body }), reject);
    });
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", reject);
    request.end(patch === undefined ? undefined : JSON.stringify(patch));
  });
}

interface ClusterRole {
  readonly rules: readonly object[];
}

/** `view` and `edit` are empty until a controller manager, which is not there, gathers their rules. */
async function aggregateRoles(administrator: Origin): Promise<void> {
  const roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
  const rulesOf = async (name: string) => (JSON.parse((await ask(administrator, `${roles}/${name}`)).text) as ClusterRole).rules;
  const view = await rulesOf("system:aggregate-to-view");
  const edit = await rulesOf("system:aggregate-to-edit");
  for (const [name, rules] of Object.entries({ view, edit: [...view, ...edit] })) {
    const { status, text: said } = await ask(administrator, `${roles}/${name}`, { rules });
    if (status !== 200) throw new Error(`the role ${name} could not be filled: ${said}`);
  }
}

function adminConfig(server: string, caFile: string, token: string): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "admin",
    clusters: [{ name: "real", cluster: { server, "certificate-authority": caFile } }],
    contexts: [{ name: "admin", context: { cluster: "real", user: "admin" } }],
    users: [{ name: "admin", user: { token } }],
  };
  return JSON.stringify(config);
}

interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly user?: { readonly username?: string; readonly groups?: readonly string[]; readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly responseStatus?: { readonly code?: number };
}

function readAudit(file: string): readonly Audited[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => {
    const { verb, requestURI, user, responseStatus } = JSON.parse(line) as AuditEvent;
    const credentialId = user?.extra?.["authentication.kubernetes.io/credential-id"]?.[0];
    return { verb, uri: requestURI, user: user?.username ?? "", groups: user?.groups ?? [], status: responseStatus?.code ?? 0, credentialId };
  });
}
