import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findProgram } from "../../programs.ts";
import { emptyBunProgram } from "../parts/bun.ts";
import type { Issuer } from "../parts/issuer.ts";
import type { Kubelogin } from "../parts/kubelogin.ts";
import { isMissing, type Missing } from "../parts/missing.ts";
import type { NodeBuild } from "../parts/nodes.ts";
import { type Environment, getToken, mustRun, type Stage } from "../parts/stage.ts";
import type { Command } from "../starter.ts";
import { writeManySessions } from "./many-sessions.ts";

export interface Candidate extends Command {
  readonly id: string;
  readonly name: string;
  readonly kind: "ours" | "peer" | "runtime";
  /** Its output must be an ExecCredential. */
  readonly answers: boolean;
}

/** What candidates are made of, beside the stage. */
export interface Sources {
  readonly node: (major: number) => NodeBuild | Missing;
  readonly kubelogin: () => Kubelogin | Missing;
  readonly issuer: Issuer;
}

/**
 * Makes candidates by their ids, each as it is asked for; those that need a session share one home, so that both forms and every Node answer from the
 * same files.
 */
export function candidateMaker(stage: Stage, { node, kubelogin, issuer }: Sources): (id: string) => Promise<Candidate | Missing> {
  const words = getToken(issuer);
  const home = once(async () => {
    const env = stage.home("starts");
    await logIn(env);
    return env;
  });
  const fullHome = once(async () => {
    const env = stage.home("many");
    await logIn(env);
    stage.tell("writing 10,000 sessions");
    writeManySessions(join(env.HOME, ".local/share/kubectl-oidc"), 10_000, tokenOf((await credential()) ?? ""), Math.floor(Date.now() / 1000));
    return env;
  });
  const credential = once(async () => (await mustRun(stage, [stage.running.file, stage.program, ...words], await home())).output);

  /** The second call finds what the first left; from then on each is a hit. */
  async function logIn(env: Environment): Promise<void> {
    for (let i = 0; i < 2; i++) await mustRun(stage, [stage.running.file, stage.program, ...words], env);
  }

  async function onNode(kind: string, build: NodeBuild): Promise<Candidate | Missing> {
    const id = `${kind}@${build.major}`;
    const env = await (kind === "many" ? fullHome() : home());
    const name = `npm program, Node ${build.major}`;
    if (kind === "empty") return { id, name: `empty script, Node ${build.major}`, kind: "runtime", answers: false, args: [build.file, stage.empty], env };
    if (kind === "version") return { id, name: `version, ${name}`, kind: "ours", answers: false, args: [build.file, stage.program, "version"], env };
    if (kind === "extra-ca" && rootsFile === undefined) return { missing: "no file with the system's roots" };
    const more: Environment =
      kind === "extra-ca" ? { NODE_EXTRA_CA_CERTS: rootsFile ?? "" } : kind === "env-proxy" ? { NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: "http://127.0.0.1:9" } : {};
    if (Object.keys(more).length > 0)
      return { id, name: `${name}, ${Object.keys(more)[0]}`, kind: "ours", answers: true, args: [build.file, stage.program, ...words], env: { ...env, ...more } };
    if (kind === "bin") return { id, name: `${name}, through its bin`, kind: "ours", answers: true, ...npmBin(stage, build, words, env) };
    return { id, name: kind === "many" ? `${name}, 10,000 sessions` : name, kind: "ours", answers: true, args: [build.file, stage.program, ...words], env };
  }

  async function ofExecutable(id: string): Promise<Candidate | Missing> {
    const { standalone } = stage;
    if (isMissing(standalone)) return standalone;
    const env = await (id === "standalone-many" ? fullHome() : home());
    if (id === "standalone-version") return { id, name: "version, standalone", kind: "ours", answers: false, args: [standalone, "version"], env };
    return { id, name: id === "standalone" ? "standalone" : "standalone, 10,000 sessions", kind: "ours", answers: true, args: [standalone, ...words], env };
  }

  async function ofKubelogin(): Promise<Candidate | Missing> {
    const found = kubelogin();
    if (isMissing(found)) return found;
    const env = stage.home("kubelogin");
    const args = [found.file, ...words, `--token-cache-dir=${join(env.HOME, "cache")}`];
    await mustRun(stage, args, env);
    return { id: "kubelogin", name: found.name, kind: "peer", answers: true, args, env };
  }

  async function ofCat(): Promise<Candidate | Missing> {
    const cat = findProgram("cat");
    if (cat === undefined) return { missing: "no cat" };
    const file = join(stage.folder, "credential.json");
    writeFileSync(file, await credential(), { mode: 0o600 });
    return { id: "cat", name: "cat of a file", kind: "peer", answers: true, args: [cat, file], env: {} };
  }

  return async (id) => {
    if (id === "kubelogin") return ofKubelogin();
    if (id === "cat") return ofCat();
    if (id.startsWith("standalone")) return ofExecutable(id);
    if (id === "empty-bun") {
      const file = emptyBunProgram(stage.root, stage.folder);
      return isMissing(file) ? file : { id, name: "empty Bun executable", kind: "runtime", answers: false, args: [file], env: {} };
    }
    const [kind = "", major] = id.split("@");
    const build = node(Number(major));
    return isMissing(build) ? build : onNode(kind, build);
  };
}

/** Where systems keep all their roots in one file. */
const rootsFile = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"].find((file) => existsSync(file));

/** As npm installs it: a link on the PATH to a file that begins with `#!/usr/bin/env node`. */
export function npmBin(stage: Stage, build: NodeBuild, words: readonly string[], env: Environment): Command {
  const bin = join(stage.folder, `bin-${build.major}`);
  const link = join(bin, "kubectl-oidc");
  if (mkdirSync(bin, { recursive: true }) !== undefined) {
    symlinkSync(stage.program, link);
    symlinkSync(build.file, join(bin, "node"));
  }
  return { args: [link, ...words], env: { ...env, PATH: `${bin}:${dirname(build.file)}:${env["PATH"] ?? ""}` } };
}

/** Of an ExecCredential; undefined when it is none. */
export function tokenOf(output: string): string {
  return JSON.parse(output).status.token;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
