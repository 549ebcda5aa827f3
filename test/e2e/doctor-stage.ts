import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Certificates } from "../issuer/certificates.ts";
import { makeCertificates } from "../issuer/certificates.ts";
import { listenOnLocalhost } from "../issuer/listen-on-localhost.ts";
import { type Misbehaving, startMisbehaving } from "../issuer/misbehaving.ts";
import { type Ended, type Home, newHome, programPath, runWithBrowser } from "./program.ts";

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
  /** What the API server answers: a user name with groups, or a status. `date`: its Date header. */
  readonly api: { answer: readonly string[] | number; date: string | undefined };
  /** Writes the kubeconfig: what the user has beside `exec`, what changes in `exec`, more arguments. */
  use(more?: { readonly user?: object; readonly exec?: object; readonly args?: readonly string[]; readonly cluster?: object; readonly listen?: readonly string[] }): void;
  logIn(): Promise<void>;
  doctor(env?: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended & { readonly checks: readonly Found[]; of(id: string): Found }>;
}

/** A healthy installation: kubectl-oidc on the PATH, a kubeconfig, a good issuer (http on loopback), an API server that answers. */
export async function onDoctorStage(play: (stage: DoctorStage) => Promise<void>): Promise<void> {
  const home = newHome();
  const certificates = await makeCertificates(home.folder);
  const issuer = await startMisbehaving();
  const api: DoctorStage["api"] = { answer: ["oidc:ann", "dev"], date: undefined };
  const server = await listenOnLocalhost((request, response) => {
    request.resume();
    if (api.date !== undefined) response.setHeader("date", api.date);
    if (typeof api.answer === "number") return response.writeHead(api.answer, { "content-type": "application/json" }).end("{}");
    const [username, ...groups] = api.answer;
    return response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify({ status: { userInfo: { username, groups } } }));
  }, certificates);
  const bin = join(home.folder, "bin");
  mkdirSync(bin);
  symlinkSync(programPath, join(bin, "kubectl-oidc"));
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
