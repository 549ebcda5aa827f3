import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Starter } from "../starter.ts";
import type { Missing } from "./missing.ts";
import type { NodeBuild } from "./nodes.ts";

export type Environment = Readonly<Record<string, string>>;

/** One of our two forms: the words that start it. */
export interface Form {
  readonly name: "npm program" | "standalone";
  readonly command: readonly string[];
}

/** What all measurements share. */
export interface Stage {
  readonly root: string;
  readonly folder: string;
  /** An empty CommonJS script: what Node itself costs. */
  readonly empty: string;
  /** The npm package's program, a CommonJS file. */
  readonly program: string;
  readonly standalone: string | Missing;
  /** The Node that runs the bench. */
  readonly running: NodeBuild;
  readonly starter: Starter;
  /** Seconds of work are told to whoever waits. */
  readonly tell: (what: string) => void;
  /** The environment of a new home. Nothing of ours is passed on: NODE_EXTRA_CA_CERTS alone costs Node 20 some 40 ms at its start. */
  home(name: string): Environment & { readonly HOME: string };
  close(): void;
}

export function openStage(parts: Pick<Stage, "root" | "standalone" | "running" | "starter" | "tell">): Stage {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-bench-"));
  const empty = join(folder, "empty.cjs");
  writeFileSync(empty, "");
  return {
    ...parts,
    folder,
    empty,
    program: join(parts.root, "dist/kubectl-oidc.cjs"),
    home(name) {
      const home = join(folder, name);
      mkdirSync(home, { mode: 0o700 });
      return { PATH: process.env["PATH"] ?? "", HOME: home };
    },
    close() {
      parts.starter.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const npmForm = ({ running, program }: Stage): Form => ({ name: "npm program", command: [running.file, program] });

/** Undefined when no executable was built. */
export const standaloneForm = ({ standalone }: Stage): Form | undefined => (typeof standalone === "string" ? { name: "standalone", command: [standalone] } : undefined);

/** The arguments of get-token at this issuer, by a device login that the issuer confirms by itself. */
export const getToken = (issuer: { readonly url: string }, storage = "disk") => [
  "get-token",
  `--oidc-issuer-url=${issuer.url}`,
  "--oidc-client-id=bench",
  "--grant-type=device-code",
  "--skip-open-browser",
  `--token-cache-storage=${storage}`,
];

/** Runs a command that must succeed. Its output must not be shown when it holds a token: only that of a failure is. */
export async function mustRun(stage: Pick<Stage, "starter">, args: readonly string[], env: Environment) {
  const ran = await stage.starter.run({ args, env });
  if (ran.status !== 0) throw new Error(`${args.slice(0, 3).join(" ")} … ended with ${ran.status}: ${ran.output.trim()}`);
  return ran;
}

/** What was said beside the credential. */
export const said = (output: string) =>
  output
    .split("\n")
    .filter((line) => !line.includes("ExecCredential"))
    .join("\n")
    .trim();
