import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readCommandLine } from "../../src/cli/program.ts";
import { splitCommand } from "../../src/core/split-command.ts";
import type { Certificates } from "../issuer/certificates.ts";
import { makeCertificates } from "../issuer/certificates.ts";
import { listenOnLocalhost } from "../issuer/listen-on-localhost.ts";
import { type Misbehaving, startMisbehaving } from "../issuer/misbehaving.ts";
import { completionPath, type Ended, type Home, newHome, programPath, runWithBrowser } from "./program.ts";

/** A check as `doctor -o json` prints it. */
export interface Found {
  readonly id: string;
  readonly title: string;
  readonly status: "ok" | "warn" | "fail" | "skipped";
  readonly detail: string;
  readonly cure: string | null;
}

export interface DoctorStage {
  readonly home: Home;
  readonly issuer: Misbehaving;
  readonly certificates: Certificates;
  /** The API server's address. */
  readonly server: string;
  /**
   * What the API server answers: a user name with groups, or a status. `date`: its Date header. `trusts`: the issuer and the audience whose
   * tokens it takes, whatever their signature; every other one is 401.
   */
  readonly api: { answer: readonly string[] | number; date: string | undefined; trusts: { readonly issuer?: string; readonly audience?: string } };
  /** Writes the kubeconfig: what the user has beside `exec`, what changes in `exec`, more arguments. */
  use(more?: { readonly user?: object; readonly exec?: object; readonly args?: readonly string[]; readonly cluster?: object; readonly listen?: readonly string[] }): void;
  logIn(): Promise<void>;
  doctor(env?: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended & { readonly checks: readonly Found[]; of(id: string): Found }>;
}

/** kube-apiserver compares both byte for byte (protocol.md AP-04, AP-05). */
function takes({ issuer, audience }: DoctorStage["api"]["trusts"], authorization: string): boolean {
  const { iss, aud } = JSON.parse(Buffer.from(authorization.split(".")[1] ?? "", "base64url").toString() || "{}") as { readonly iss?: unknown; readonly aud?: unknown };
  return (issuer === undefined || iss === issuer) && (audience === undefined || [aud].flat().includes(audience));
}

/** Every cure for pasting is a command: of ours, or of kubectl or the system. */
function refuseUnreadable(id: string, cure: string): void {
  if (!cure.startsWith("run: ")) return;
  for (const command of cure.slice("run: ".length).split("; ")) {
    const [program, second, ...rest] = splitCommand(command) ?? [];
    if (program === "kubectl" && second === "oidc") readCommandLine(rest);
    else if (!["kubectl", "sudo", "w32tm"].includes(program ?? "")) throw new Error(`the cure of ${id} is no command: ${cure}`);
  }
}

/** A healthy installation: kubectl-oidc on the PATH, a kubeconfig, a good issuer (http on loopback), an API server that answers. */
export async function onDoctorStage(play: (stage: DoctorStage) => Promise<void>): Promise<void> {
  const home = newHome();
  const certificates = await makeCertificates(home.folder);
  const issuer = await startMisbehaving();
  const api: DoctorStage["api"] = { answer: ["oidc:ann", "dev"], date: undefined, trusts: {} };
  const server = await listenOnLocalhost((request, response) => {
    request.resume();
    if (api.date !== undefined) response.setHeader("date", api.date);
    const status = takes(api.trusts, request.headers.authorization ?? "") ? api.answer : 401;
    if (typeof status === "number") return response.writeHead(status, { "content-type": "application/json" }).end("{}");
    const [username, ...groups] = status;
    return response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify({ status: { userInfo: { username, groups } } }));
  }, certificates);
  const bin = join(home.folder, "bin");
  mkdirSync(bin);
  symlinkSync(programPath, join(bin, "kubectl-oidc"));
  symlinkSync(completionPath, join(bin, "kubectl_complete-oidc"));
  writeFileSync(join(bin, "kubectl"), `#!/bin/sh\necho '{"clientVersion":{"gitVersion":"v1.36.2"}}'\n`, { mode: 0o755 });
  writeFileSync(join(bin, "xdg-open"), "#!/bin/sh\n", { mode: 0o755 });
  const healthy = { PATH: `${bin}:${home.env["PATH"] ?? ""}`, DISPLAY: ":9" };

  const stage: DoctorStage = {
    home,
    issuer,
    certificates,
    server: server.origin,
    api,
    use({ user = {}, exec = {}, args = [], cluster = {}, listen = ["127.0.0.1:0"] } = {}) {
      const stanza = {
        apiVersion: "client.authentication.k8s.io/v1",
        command: "kubectl-oidc",
        args: [
          "get-token",
          `--oidc-issuer-url=${issuer.issuer}`,
          "--oidc-client-id=kubernetes",
          "--token-cache-storage=disk",
          ...listen.map((address) => `--listen-address=${address}`),
          ...args,
        ],
        interactiveMode: "IfAvailable",
        provideClusterInfo: true,
        ...exec,
      };
      const config = {
        "current-context": "prod",
        clusters: [{ name: "prod", cluster: { server: server.origin, "certificate-authority": certificates.caFile, ...cluster } }],
        contexts: [{ name: "prod", context: { cluster: "prod", user: "oidc" } }],
        users: [{ name: "oidc", user: { exec: stanza, ...user } }],
      };
      writeFileSync(join(home.folder, "kubeconfig"), JSON.stringify(config));
    },
    async logIn() {
      const ended = await runWithBrowser(home, ["login", "--skip-open-browser"], healthy);
      if (ended.status !== 0) throw new Error(ended.stderr);
    },
    async doctor(env = {}, ...args) {
      const ended = await home.run(["doctor", "-o", "json", ...args], { ...healthy, ...env });
      const { checks } = JSON.parse(ended.stdout) as { readonly checks: readonly Found[] };
      for (const { id, cure } of checks) if (cure !== null) refuseUnreadable(id, cure);
      return {
        ...ended,
        checks,
        of: (id) => {
          const found = checks.find((check) => check.id === id);
          if (found === undefined) throw new Error(`no check ${id}`);
          return found;
        },
      };
    },
  };
  stage.use();
  try {
    await play(stage);
  } finally {
    home.remove();
    await Promise.all([issuer.stop(), server.stop()]);
  }
}
