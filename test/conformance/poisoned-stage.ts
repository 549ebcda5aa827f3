import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Ended, runWithBrowser } from "../e2e/program.ts";
import { home, issuer } from "../e2e/stage.ts";

/** The company's API server as kubectl names it: its own certificate authority, no proxy. */
export const real = { server: "https://k8s.example.com:6443", "certificate-authority-data": Buffer.from("the company's CA").toString("base64") };

/** KUBERNETES_EXEC_INFO for a cluster. */
export const toServer = (cluster: object | undefined) => ({
  KUBERNETES_EXEC_INFO: JSON.stringify({
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    spec: { interactive: false, ...(cluster === undefined ? {} : { cluster: { config: null, ...cluster } }) },
  }),
});

/** What somebody puts beside the real issuer and client to get the token: each alone is enough. */
export const poisons: readonly (readonly [string, object])[] = [
  ["another server", { ...real, server: "https://evil.example.com" }],
  ["another port of the same host", { ...real, server: "https://k8s.example.com:8443" }],
  ["the server with a name before it", { ...real, server: "https://k8s.example.com:6443@evil.example.com" }],
  ["a proxy", { ...real, "proxy-url": "http://evil.example.com:3128" }],
  ["another certificate authority", { ...real, "certificate-authority-data": Buffer.from("another CA").toString("base64") }],
  ["no certificate authority", { server: real.server }],
  ["no check of the certificate", { server: real.server, "insecure-skip-tls-verify": true }],
  ["no check of the certificate, with the right authority", { ...real, "insecure-skip-tls-verify": true }],
  ["another TLS name", { ...real, "tls-server-name": "evil.example.com" }],
];

/** A kubeconfig whose contexts share one exec stanza, each with its cluster. */
export function writeKubeconfig(args: readonly string[], clusters: Readonly<Record<string, object>>): void {
  const names = Object.keys(clusters);
  writeFileSync(
    join(home.folder, "kubeconfig"),
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": names[0],
      contexts: names.map((name) => ({ name, context: { cluster: name, user: "oidc" } })),
      clusters: names.map((name) => ({ name, cluster: clusters[name] })),
      users: [{ name: "oidc", user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "kubectl-oidc", args: ["get-token", ...args], interactiveMode: "Never" } } }],
    }),
  );
}

/** Writes the person's configuration file. */
export function writeConfig(text: string): void {
  mkdirSync(home.config, { recursive: true, mode: 0o700 });
  writeFileSync(join(home.config, "config.yaml"), text);
}

/**
 * A credential helper on the PATH that keeps its items beside the home: a store that no variable of ours moves, as an OS keychain is.
 * Gives what the program needs for it.
 */
export function keychainOutside(): { readonly env: Readonly<Record<string, string>>; readonly storage: string } {
  const items = join(home.folder, "items.json");
  home.holdsSecrets("items.json");
  writeFileSync(
    join(home.folder, "docker-credential-outside"),
    `#!${process.execPath}
const fs = require("node:fs"); const file = ${JSON.stringify(items)}; const input = fs.readFileSync(0, "utf8");
const items = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {};
if (process.argv[2] === "store") items[JSON.parse(input).ServerURL] = JSON.parse(input);
else if (items[input] === undefined) { console.log("credentials not found in native keychain"); process.exit(1); }
else if (process.argv[2] === "get") console.log(JSON.stringify(items[input])); else delete items[input];
fs.writeFileSync(file, JSON.stringify(items));
`,
    { mode: 0o755 },
  );
  return { env: { PATH: `${home.folder}:${home.env["PATH"]}` }, storage: "helper:outside" };
}

/** A home that came out of somebody's archive: all of it ours by owner and mode. Gives the variables that a stanza's `env` would set. */
export function movedHome(): { readonly HOME: string; readonly XDG_DATA_HOME: string; readonly XDG_CONFIG_HOME: string } {
  const folder = join(home.folder, "unpacked");
  for (const name of ["", "data", "config"]) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  return { HOME: folder, XDG_DATA_HOME: join(folder, "data"), XDG_CONFIG_HOME: join(folder, "config") };
}

/** The first login: typed by the person, for the first context. */
export async function logInAs(context: string, env?: Readonly<Record<string, string>>): Promise<void> {
  const ended = await runWithBrowser(home, ["login", `--context=${context}`], env);
  if (ended.status !== 0) throw new Error(ended.stderr);
}

/** Nothing was given away: no token on stdout, and the issuer was not asked for one since. */
export function gaveNothing(ended: Ended, requestsBefore: number): boolean {
  return ended.stdout === "" && issuer.count("/token") === requestsBefore;
}

/** Runs the program where the user database says another home for us: in a mount namespace of its own. */
export function asUserAt(
  homeFolder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): { readonly status: number; readonly stdout: string; readonly stderr: string } {
  const passwd = join(home.folder, "passwd");
  writeFileSync(passwd, `root:x:0:0::${homeFolder}:/bin/sh\n`);
  const script = `mount --bind ${passwd} /etc/passwd && exec "$@" 2>${join(home.folder, "stderr")}`;
  try {
    const stdout = execFileSync("unshare", ["-m", "sh", "-c", script, "sh", ...args], { env: { ...home.env, ...env }, encoding: "utf8", timeout: 20_000 });
    return { status: 0, stdout, stderr: "" };
  } catch (error) {
    const { status, stdout } = error as { readonly status: number; readonly stdout: string };
    return { status, stdout, stderr: execFileSync("cat", [join(home.folder, "stderr")], { encoding: "utf8" }) };
  }
}
