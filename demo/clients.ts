import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import type { Stage } from "./stage.ts";

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/** Runs a program to its end; 60 seconds at most. */
export function run(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(program, [...args], { env: { ...env }, stdio: ["ignore", "pipe", "pipe"], timeout: 60_000, killSignal: "SIGKILL" });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr, ms: Math.round(performance.now() - started) }));
  });
}

/** The client that the story is told with: kubectl, or the official JavaScript client when kubectl is missing. */
export interface Client {
  readonly name: string;
  getPods(stage: Stage, env?: Readonly<Record<string, string>>): Promise<Ended>;
}

export function findClient(): Client {
  if (hasKubectl()) return { name: "kubectl get pods", getPods: (stage, env) => run("kubectl", ["get", "pods"], { ...stage.env, ...env }) };
  // In a process of its own: the client waits for the plugin without serving anything else.
  return {
    name: "the JavaScript client (kubectl is not on the PATH), list pods",
    getPods: (stage, env) => run(process.execPath, [process.argv[1] ?? "", "--client"], { ...stage.env, ...env }),
  };
}

export function hasKubectl(): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => ["kubectl", "kubectl.exe"].some((name) => isProgram(join(folder, name))));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What `--client` does: one list of pods with the kubeconfig of the environment, printed as kubectl would. */
export async function listPods(): Promise<void> {
  const config = new KubeConfig();
  config.loadFromDefault();
  const { items } = await config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: "default" });
  for (const pod of items) console.log(`${pod.metadata?.name}  ${pod.status?.phase}`);
}
