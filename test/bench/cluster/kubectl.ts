import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificates } from "../../issuer/certificates.ts";
import { findProgram } from "../../programs.ts";
import { interleaved } from "../interleaved.ts";
import { type Issuer, startIssuer } from "../parts/issuer.ts";
import type { Kubelogin } from "../parts/kubelogin.ts";
import { isMissing, type Missing } from "../parts/missing.ts";
import { getToken, mustRun, type Stage } from "../parts/stage.ts";
import { npmBin } from "../starts/candidates.ts";
import { outcomeOf } from "../starts/measure.ts";
import type { StartPlan } from "../starts/plans.ts";
import { elapsed, type Command } from "../starter.ts";
import type { RowPlan } from "../rows.ts";
import { startVersionServer } from "./server.ts";

const plan = (id: string, title: string, bounds: { readonly target?: number; readonly limit?: number } = {}): StartPlan => ({
  id,
  group: "kubectl",
  title: `kubectl with ${title} / with a static token`,
  of: id,
  to: "kubectl-static",
  figure: "time",
  unit: "x",
  ...bounds,
});

export const kubectlPlans: readonly StartPlan[] = [
  plan("kubectl-npm", "the npm program", { target: 1.65 }),
  plan("kubectl-standalone", "the standalone executable", { target: 1.15, limit: 1.25 }),
  plan("kubectl-kubelogin", "kubelogin"),
  plan("kubectl-cat", "cat of a file"),
];

/** `kubectl get --raw /version` at a TLS server of this machine: over plain HTTP kubectl sends no credential and runs no plugin. */
export async function measureKubectl(stage: Stage, plans: readonly RowPlan[], kubelogin: () => Kubelogin | Missing, rounds: number) {
  const wanted = kubectlPlans.filter(({ id }) => plans.some((one) => one.id === id));
  const kubectl = findProgram("kubectl");
  if (kubectl === undefined) return { rows: wanted.map((row) => ({ ...row, outcome: { kind: "skipped", why: "no kubectl on the PATH" } as const })) };
  const issuer = await startIssuer();
  const certificates = await makeCertificates(stage.folder);
  const server = await startVersionServer(certificates);
  try {
    const made = new Map<string, Command | Missing>();
    for (const id of ["kubectl-static", ...wanted.map((row) => row.id)]) made.set(id, await commandOf(id));
    const ready = [...made].filter((entry): entry is [string, Command] => !isMissing(entry[1]));
    // The first run may log in, the second leaves what makes the third a hit.
    for (const [, { args, env }] of ready) for (let i = 0; i < 3; i++) await mustRun(stage, args, env);
    const before = issuer.requests.length;
    stage.tell(`${rounds} rounds of ${ready.length} kubectl commands`);
    const byId = new Map(ready);
    const samples = await interleaved([...byId.keys()], rounds, async (id) => {
      const { args, env } = byId.get(id) ?? { args: [], env: {} };
      const ran = await mustRun(stage, args, env);
      return { ms: elapsed(ran), cpu: undefined, kib: undefined };
    });
    if (issuer.requests.length !== before) throw new Error("a kubectl that should have found its token in the cache asked the issuer");
    return { rows: wanted.map((row) => ({ ...row, outcome: outcomeOf(row, made, samples) })) };
  } finally {
    await server.stop();
    issuer.stop();
  }

  async function commandOf(id: string): Promise<Command | Missing> {
    const env = stage.home(id);
    const user = await userOf(id, env, issuer);
    if (isMissing(user)) return user;
    const kubeconfig = join(env.HOME, "config");
    const cluster = { server: server.origin, "certificate-authority": certificates.caFile };
    const entries = { clusters: [{ name: "bench", cluster }], contexts: [{ name: "bench", context: { cluster: "bench", user: "bench" } }], users: [{ name: "bench", user }] };
    writeFileSync(kubeconfig, JSON.stringify({ apiVersion: "v1", kind: "Config", "current-context": "bench", ...entries }), { mode: 0o600 });
    return { args: [kubectl ?? "", "get", "--raw", "/version"], env: { ...env, KUBECONFIG: kubeconfig } };
  }

  /** The user's entry in the kubeconfig, as setup writes it for ours. */
  async function userOf(id: string, env: { readonly HOME: string; readonly [name: string]: string }, at: Issuer): Promise<object | Missing> {
    const exec = (command: string, args: readonly string[], more: object = {}) => ({
      exec: { apiVersion: "client.authentication.k8s.io/v1", command, args, interactiveMode: "IfAvailable", ...more },
    });
    const words = getToken(at);
    const withCluster = { provideClusterInfo: true };
    switch (id) {
      case "kubectl-npm": {
        const bin = npmBin(stage, stage.running, words, env);
        return exec(bin.args[0] ?? "", words, { ...withCluster, env: [{ name: "PATH", value: bin.env["PATH"] }] });
      }
      case "kubectl-standalone":
        return typeof stage.standalone === "string" ? exec(stage.standalone, words, withCluster) : stage.standalone;
      case "kubectl-kubelogin": {
        const found = kubelogin();
        return isMissing(found) ? found : exec(found.file, [...words, `--token-cache-dir=${join(env.HOME, "cache")}`]);
      }
      case "kubectl-cat": {
        const file = join(env.HOME, "credential.json");
        const call = () => mustRun(stage, [stage.running.file, stage.program, ...words], env);
        // The first says on stderr that it logs in.
        await call();
        writeFileSync(file, (await call()).output, { mode: 0o600 });
        return exec(findProgram("cat") ?? "/bin/cat", [file]);
      }
      default:
        return { token: "static" };
    }
  }
}
