import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { accounts } from "../issuer/accounts.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";
import { type RunningProvider, startProvider } from "../issuer/provider.ts";
import { type Ended, type Home, newHome, programPath } from "./program.ts";

const run = promisify(execFile);
const browserProgram = resolve(import.meta.dirname, "../../dist-dev/browser-command.mjs");

interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A mount namespace of its own is root's, and not every container's. */
export const hasNamespaces = ((): boolean => {
  try {
    execFileSync("unshare", ["-m", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** A person who was given a kubeconfig, an issuer and a client ID: issuer, API server, a PATH with kubectl-oidc, a browser that a program plays. */
export interface SetupStage {
  readonly home: Home;
  readonly provider: RunningProvider;
  readonly api: ApiServer;
  readonly certificates: Certificates;
  /** The kubeconfig's path and its text. */
  readonly kubeconfig: string;
  text(): string;
  write(text: string): void;
  /** Issuer and client, and what this machine needs: a private authority, a store on disk. */
  readonly identity: readonly string[];
  setup(args: readonly string[], more?: Readonly<Record<string, string>>): Promise<Ended>;
  kubectl(...args: readonly string[]): Promise<Said>;
  /** Runs a program where the user database says that the stage's home is ours: no variable moves that one. */
  atHome(program: string, args: readonly string[]): Promise<Said>;
  /** Ports, folders and times of one run have names in golden files. */
  neutral(text: string): string;
  /** For --browser-command. */
  readonly browser: string;
  stop(): Promise<void>;
}

export async function setSetupStage(): Promise<SetupStage> {
  const home = newHome();
  const certificates = await makeCertificates(home.folder);
  const provider = await startProvider({ certificates });
  const api = await startApiServer({ certificates, issuer: provider.issuer, issuerCa: certificates.caPem, clientId: "kubernetes" });
  const bin = join(home.folder, "bin");
  mkdirSync(bin);
  symlinkSync(programPath, join(bin, "kubectl-oidc"));
  const kubeconfig = join(home.folder, "kubeconfig");
  const browser = `'${process.execPath}' '${browserProgram}'`;
  // The plugin is started by kubectl with this environment, and hands it to the browser.
  const person = {
    PATH: `${bin}:${home.env["PATH"] ?? ""}`,
    DEMO_CA_FILE: certificates.caFile,
    DEMO_ACCOUNT: "alice",
    DEMO_PASSWORD: accounts.alice.password,
    BROWSER: browser,
  };
  return {
    home,
    provider,
    api,
    certificates,
    kubeconfig,
    browser,
    text: () => readFileSync(kubeconfig, "utf8"),
    write(text) {
      writeFileSync(kubeconfig, text);
      chmodSync(kubeconfig, 0o640);
    },
    identity: [
      `--oidc-issuer-url=${provider.issuer}`,
      "--oidc-client-id=kubernetes",
      `--certificate-authority=${certificates.caFile}`,
      "--token-cache-storage=disk",
      "--listen-address=127.0.0.1:0",
    ],
    setup: (args, more = {}) => home.run(["setup", ...args], { ...person, ...more }),
    kubectl: (...args) => runs("kubectl", args, { ...home.env, ...person }, home.folder),
    atHome(program, args) {
      const passwd = join(home.folder, "passwd");
      writeFileSync(passwd, `root:x:0:0::${join(home.folder, "home")}:/bin/sh\n`);
      const { BROWSER: _, XDG_CONFIG_HOME: __, ...env }: Readonly<Record<string, string>> = { ...home.env, ...person };
      return runs("unshare", ["-m", "sh", "-c", `mount --bind '${passwd}' /etc/passwd && exec "$@"`, "sh", program, ...args], env, home.folder);
    },
    neutral: (text) =>
      text
        .replaceAll(provider.issuer, "https://id.example.com")
        .replaceAll(api.url, "https://k8s.example.com:6443")
        .replaceAll(home.folder, "/home/ann")
        .replaceAll(/^ +[A-Za-z0-9+/]{40,}=*\n( +[A-Za-z0-9+/]+=*\n)*/gm, "      BASE64\n")
        .replaceAll(/(?:http:\/\/)?(localhost|127\.0\.0\.1):\d+/g, "$1:PORT")
        .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "TIME")
        .replaceAll(/\d+:\d\d left/g, "3:00 left")
        .replaceAll(/https:\/\/id\.example\.com\/auth\S*/g, "https://id.example.com/auth?…"),
    async stop() {
      home.remove();
      await Promise.all([api.stop(), provider.stop()]);
    },
  };
}

async function runs(program: string, args: readonly string[], env: Readonly<Record<string, string>>, cwd: string): Promise<Said> {
  try {
    const { stdout, stderr } = await run(program, [...args], { env, timeout: 25_000, cwd });
    return { status: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: Number(code), stdout, stderr };
  }
}

/** As an administrator hands it out: comments, another user who must not be lost, a context without a user of its own. */
export const handedOut = (server: string, caFile: string) => `# handed out by the platform team
apiVersion: v1
kind: Config
current-context: prod
clusters:
- name: prod   # behind the VPN
  cluster:
    server: ${server}
    certificate-authority: ${caFile}
contexts:
# break glass
- name: admin
  context: {cluster: prod, user: admin}
- name: prod
  context:
    cluster: prod
    user: admin
    namespace: default
users:
- name: admin
  user:
    token: break-glass-token-of-the-administrator
preferences: {}
`;
