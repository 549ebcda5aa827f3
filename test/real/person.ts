import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Home, newHome, programPath } from "../e2e/program.ts";
import { type Ran, type RunningProgram, startProgram } from "./run-program.ts";

const browserProgram = resolve(import.meta.dirname, "../../dist-dev/browser-command.mjs");

/** Somebody with a home of their own, kubectl-oidc on the PATH, and a browser that a program plays. */
export interface Person {
  readonly home: Home;
  readonly env: Readonly<Record<string, string>>;
  readonly kubeconfig: string;
  /** Absolute path of kubectl-oidc as this person has it. */
  readonly plugin: string;
  /** A kubeconfig without a user: what an administrator hands out beside issuer and client ID. */
  writeContext(server: string, caFile: string): void;
  start(program: string, args: readonly string[], more?: Readonly<Record<string, string>>, input?: string): RunningProgram;
  run(program: string, args: readonly string[], more?: Readonly<Record<string, string>>, input?: string): Promise<Ran>;
  /** `kubectl oidc …` without kubectl. */
  oidc(...args: readonly string[]): Promise<Ran>;
  remove(): void;
}

/** `env`: name and password for the browser's forms (test/issuer/browser-command.ts), and whatever else. */
export function newPerson(env: Readonly<Record<string, string>>): Person {
  const home = newHome();
  const bin = join(home.folder, "bin");
  mkdirSync(bin);
  const plugin = join(bin, "kubectl-oidc");
  symlinkSync(programPath, plugin);
  const whole = { ...home.env, ...env, PATH: `${bin}:${home.env["PATH"] ?? ""}`, BROWSER: `'${process.execPath}' '${browserProgram}'` };
  const kubeconfig = join(home.folder, "kubeconfig");
  const start = (program: string, args: readonly string[], more: Readonly<Record<string, string>> = {}, input?: string) =>
    startProgram({ program, args, cwd: home.folder, env: { ...whole, ...more }, ...(input === undefined ? {} : { input }) });
  return {
    home,
    env: whole,
    kubeconfig,
    plugin,
    writeContext(server, caFile) {
      const config = {
        apiVersion: "v1",
        kind: "Config",
        "current-context": "prod",
        clusters: [{ name: "prod", cluster: { server, "certificate-authority": caFile } }],
        contexts: [{ name: "prod", context: { cluster: "prod", user: "" } }],
      };
      writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
    },
    start,
    run: (program, args, more, input) => start(program, args, more, input).ended,
    oidc: (...args) => start(plugin, args).ended,
    remove: () => home.remove(),
  };
}
