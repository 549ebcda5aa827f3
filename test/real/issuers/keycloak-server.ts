import { execFile } from "node:child_process";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { noteSecret } from "../../canaries.ts";
import { blockOf } from "../../docs/fenced-blocks.ts";
import { makeCertificates } from "../../issuer/certificates.ts";
import { answersOver } from "./answers-over.ts";
import { freePort, type ServerProcess, startServer } from "../server-process.ts";
import type { RealIssuer, Somebody } from "./real-issuer.ts";

const run = promisify(execFile);
const admin = "throw-away-administrator";
/** Neither lives long enough for the second compiler to pay. */
const quickJava = "-XX:TieredStopAtLevel=1";

export interface KeycloakServer extends RealIssuer {
  /** In the group developers; without the realm's role `offline_access`. */
  readonly bob: Somebody;
  /** Secret of the client `pipeline`. */
  readonly pipelineSecret: string;
  /** Secret of the client `source`, whose tokens are for `pipeline` too. */
  readonly sourceSecret: string;
}

/** Clients of people that demand more than the page's, and one whose tokens the client `pipeline` may exchange. */
const others = (ports: readonly number[], secret: string) => {
  const stricter = (clientId: string, attribute: string) => ({
    clientId,
    publicClient: true,
    redirectUris: ports.map((port) => `http://localhost:${port}`),
    attributes: { "pkce.code.challenge.method": "S256", [attribute]: "true" },
    defaultClientScopes: ["basic", "acr", "profile", "email", "groups"],
    optionalClientScopes: ["offline_access"],
  });
  const audience = {
    name: "pipeline",
    protocol: "openid-connect",
    protocolMapper: "oidc-audience-mapper",
    config: { "included.client.audience": "pipeline", "access.token.claim": "true" },
  };
  return {
    people: [stricter("kubernetes-par", "require.pushed.authorization.requests"), stricter("kubernetes-dpop", "dpop.bound.access.tokens")],
    machine: { clientId: "source", secret, serviceAccountsEnabled: true, standardFlowEnabled: false, defaultClientScopes: ["basic", "profile"], protocolMappers: [audience] },
  };
};

/** As an administrator has it before this program comes: a realm with people and groups; refresh tokens are replaced and good once (*Revoke refresh token*). */
const realm = (alice: Somebody, bob: Somebody) => {
  const person = ({ account, password }: Somebody, groups: readonly string[], realmRoles: readonly string[]) => ({
    username: account,
    enabled: true,
    email: `${account}@example.com`,
    emailVerified: true,
    firstName: account,
    lastName: "Example",
    groups,
    realmRoles,
    credentials: [{ type: "password", value: password }],
  });
  return {
    realm: "REALM",
    enabled: true,
    revokeRefreshToken: true,
    refreshTokenMaxReuse: 0,
    groups: [{ name: "developers" }, { name: "admins" }],
    users: [person(alice, ["/developers", "/admins"], ["offline_access"]), person(bob, ["/developers"], [])],
  };
};

/** Keycloak in a copy of its own below `folder`, its database in memory, with the clients that docs/how-to/keycloak.md registers. */
export async function startKeycloak(script: string, folder: string): Promise<KeycloakServer> {
  const home = join(folder, "keycloak");
  cpSync(join(script, "../.."), home, { recursive: true });
  const certificates = await makeCertificates(folder);
  writeFileSync(join(folder, "server.pem"), certificates.certPem);
  writeFileSync(join(folder, "server.key"), certificates.keyPem, { mode: 0o600 });
  const [https, http, first, second] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const origin = `https://localhost:${https}`;
  const issuer = `${origin}/realms/REALM`;
  // kc.sh stays before Java, and takes nothing with it when it is killed.
  const killJava = () => killThoseOf(home);
  process.once("exit", killJava);
  const stopServer = async (server?: ServerProcess) => {
    killJava();
    await server?.stop("SIGKILL");
    process.off("exit", killJava);
  };
  const server = await startServer({
    program: join(home, "bin/kc.sh"),
    args: [
      "start",
      "--db=dev-mem",
      "--http-host=127.0.0.1",
      `--https-port=${https}`,
      "--http-enabled=true",
      `--http-port=${http}`,
      `--hostname=${origin}`,
      `--https-certificate-file=${join(folder, "server.pem")}`,
      `--https-certificate-key-file=${join(folder, "server.key")}`,
    ],
    cwd: folder,
    env: { KC_BOOTSTRAP_ADMIN_USERNAME: "admin", KC_BOOTSTRAP_ADMIN_PASSWORD: admin, JAVA_OPTS_KC_HEAP: "-Xms64m -Xmx512m", JAVA_OPTS_APPEND: quickJava, ...javaHome() },
    log: join(folder, "keycloak.log"),
    ready: () => answersOver(`${origin}/realms/master/.well-known/openid-configuration`, certificates.caPem),
    within: 420,
  }).catch(async (error: unknown) => {
    await stopServer();
    throw error;
  });
  const [alice, bob] = [
    { account: "alice", password: "alice-throw-away" },
    { account: "bob", password: "bob-throw-away" },
  ];
  const pipelineSecret = "pipeline-throw-away-secret";
  const sourceSecret = "source-throw-away-secret";
  for (const secret of [pipelineSecret, sourceSecret]) noteSecret("client secret", secret);
  const filled = (text: string) =>
    text
      .replaceAll("https://id.example.com", origin)
      .replaceAll("localhost:8000", `localhost:${first}`)
      .replaceAll("localhost:18000", `localhost:${second}`)
      .replaceAll("PIPELINE-SECRET", pipelineSecret);
  try {
    writeFileSync(join(folder, "realm.json"), JSON.stringify(realm(alice, bob)));
    const environment = { PATH: `${join(home, "bin")}:${process.env["PATH"]}`, HOME: folder, KC_CLI_PASSWORD: admin, KC_OPTS: quickJava, ...javaHome() };
    const bash = (text: string) => run("bash", ["-euo", "pipefail", "-c", text], { env: environment, cwd: folder, timeout: 170_000 });
    // Over plain HTTP on loopback: kcadm wants a Java key store for a private authority.
    await bash(`kcadm.sh config credentials --server http://127.0.0.1:${http} --realm master --user admin && kcadm.sh create realms -f realm.json`);
    await bash(filled(blockOf("keycloak.md", "keycloak-register")));
    await bash(filled(blockOf("keycloak.md", "keycloak-register-machine")));
    // An import makes no user for a client's service account.
    const { people, machine } = others([first, second], sourceSecret);
    writeFileSync(join(folder, "people.json"), JSON.stringify({ ifResourceExists: "FAIL", clients: people }));
    writeFileSync(join(folder, "machine.json"), JSON.stringify(machine), { mode: 0o600 });
    await bash("kcadm.sh create partialImport -r REALM -f people.json && kcadm.sh create clients -r REALM -f machine.json");
  } catch (error) {
    await stopServer(server);
    throw error;
  }
  return { issuer, certificates, clientId: "kubernetes", ports: [first, second], alice, bob, pipelineSecret, sourceSecret, filled, stop: () => stopServer(server) };
}

const javaHome = () => (process.env["JAVA_HOME"] === undefined ? {} : { JAVA_HOME: process.env["JAVA_HOME"] });

/** Ends every process whose command line names this folder, which is the test's own. */
function killThoseOf(folder: string): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`${folder}/`)) process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}
