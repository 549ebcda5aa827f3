import { spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import { secretsIn } from "../../canaries.ts";
import { type ApiServer, startApiServer } from "../../cluster/api-server.ts";
import { type KubeconfigOptions, writeKubeconfig } from "../../cluster/kubeconfig.ts";
import { type Home, newHome, programCommand } from "../../e2e/program.ts";
import { accounts } from "../../issuer/accounts.ts";
import { type Certificates, makeCertificates } from "../../issuer/certificates.ts";
import { type RunningProvider, startProvider } from "../../issuer/provider.ts";

/** Milliseconds. No caller takes longer; one that does is killed with all its children, and its test fails. */
const longestRun = 60_000;

/** A program that asks an API server, and what became of it. */
export interface CallerEnded {
  /** Null: it had to be killed. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallerStage {
  readonly home: Home;
  readonly provider: RunningProvider;
  readonly api: ApiServer;
  /** Writes the kubeconfig whose user is this program; `more`: options of the session. */
  use(more?: readonly string[], how?: Partial<KubeconfigOptions>): void;
  /** The variables of a person with that kubeconfig, whose browser is a program. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a caller. Its stdin stays open, as that of a program without a terminal does, and nothing is ever written to it. */
  call(program: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CallerEnded>;
  stop(): Promise<void>;
}

/** An issuer with short-lived tokens (`life`: seconds), an API server of the tests, and this program between the two. */
export async function callerStage({ life = 300 }: { readonly life?: number } = {}): Promise<CallerStage> {
  const home = newHome();
  const certificates: Certificates = await makeCertificates(home.folder);
  const provider = await startProvider({ certificates, ttl: { idToken: life, accessToken: life } });
  const api = await startApiServer({ certificates, issuer: provider.issuer, issuerCa: certificates.caPem, clientId: "kubernetes" });
  const [program, ...programArgs] = programCommand;
  const browser = resolve("dist-dev/browser-command.mjs");
  const env = { ...home.env, DEMO_CA_FILE: certificates.caFile, DEMO_ACCOUNT: "alice", DEMO_PASSWORD: accounts.alice.password };
  const use: CallerStage["use"] = (more = [], how = {}) =>
    writeKubeconfig(join(home.folder, "kubeconfig"), {
      server: api.url,
      caFile: certificates.caFile,
      command: program,
      args: [
        ...programArgs,
        "get-token",
        `--oidc-issuer-url=${provider.issuer}`,
        "--oidc-client-id=kubernetes",
        "--oidc-extra-scope=groups",
        `--certificate-authority=${certificates.caFile}`,
        "--token-cache-storage=disk",
        "--listen-address=127.0.0.1:0",
        `--browser-command='${process.execPath}' '${browser}'`,
        "--authentication-timeout-sec=20",
        ...more,
      ],
      ...how,
    });
  use();
  return {
    home,
    provider,
    api,
    use,
    env,
    call: (program, args, more = {}) => callOnce(home, program, args, { ...env, ...more }),
    async stop() {
      await Promise.all([api.stop(), provider.stop()]);
      home.remove();
    },
  };
}

function callOnce(home: Home, program: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<CallerEnded> {
  const child = spawn(program, args, { env, cwd: home.folder, stdio: ["pipe", "pipe", "pipe"], detached: true });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const killAll = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  };
  const timer = setTimeout(killAll, longestRun);
  return new Promise((settle, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      clearTimeout(timer);
      child.stdin.destroy();
      const leaks = secretsIn(`${stdout}\n${stderr}`);
      if (leaks.length > 0) reject(new Error(`${program} said a ${leaks.join(", a ")}`));
      else settle({ status, stdout, stderr });
    });
  });
}

/** Processes that still run for this home, the listener of a login included: their working folder or their environment has it. */
export function leftBehind({ home }: CallerStage): readonly string[] {
  const isOurs = (pid: string) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(home.folder) || readFileSync(`/proc/${pid}/environ`, "utf8").includes(home.folder);
    } catch {
      return false;
    }
  };
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid && isOurs(pid));
}

/** Nothing of a caller's is left, at the latest in some seconds: who ends takes the plugin along. */
export const expectNothingLeft = (stage: CallerStage) => expect.poll(() => leftBehind(stage), { timeout: 5_000 }).toEqual([]);

/** The API servers that the session may be used with: whoever tells the plugin its cluster at the login puts it there. */
export async function trusted({ home }: CallerStage): Promise<readonly string[]> {
  const { stdout, stderr } = await home.run(["trust", "list", "--context=demo", "-o", "json"]);
  if (stdout === "") throw new Error(stderr);
  return [...stdout.matchAll(/https:\/\/localhost:\d+/g)].map(([url]) => url).filter((url, i, all) => all.indexOf(url) === i);
}

export const logins = ({ provider }: CallerStage) => provider.count("token", "authorization_code");
export const refreshes = ({ provider }: CallerStage) => provider.count("token", "refresh_token");
