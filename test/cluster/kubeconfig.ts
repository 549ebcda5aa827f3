import { writeFileSync } from "node:fs";

export interface KubeconfigOptions {
  readonly server: string;
  /** PEM file. */
  readonly caFile: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default v1. */
  readonly apiVersion?: "client.authentication.k8s.io/v1" | "client.authentication.k8s.io/v1beta1";
  /** Default true. */
  readonly provideClusterInfo?: boolean;
  /** Default IfAvailable. */
  readonly interactiveMode?: "Never" | "IfAvailable" | "Always";
}

/** Writes a kubeconfig with one context, `demo`, whose user runs an exec plugin. JSON is YAML too. */
export function writeKubeconfig(file: string, options: KubeconfigOptions): void {
  const exec = {
    apiVersion: options.apiVersion ?? "client.authentication.k8s.io/v1",
    command: options.command,
    args: options.args,
    env: Object.entries(options.env ?? {}).map(([name, value]) => ({ name, value })),
    provideClusterInfo: options.provideClusterInfo ?? true,
    interactiveMode: options.interactiveMode ?? "IfAvailable",
  };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "demo",
    clusters: [{ name: "demo", cluster: { server: options.server, "certificate-authority": options.caFile } }],
    contexts: [{ name: "demo", context: { cluster: "demo", user: "demo" } }],
    users: [{ name: "demo", user: { exec } }],
  };
  writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}
