import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programCommand } from "./program-form.ts";
import { processesBelow, secretsIn, strayFiles } from "../canaries.ts";

export { completionPath, isStandalone, preloaded, programCommand, programPath } from "./program-form.ts";

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with the first match in stderr; rejects when the program ends without it. */
  sees(pattern: RegExp): Promise<RegExpExecArray>;
}

/** A home of its own: nothing of this machine's, nothing left behind. */
export interface Home {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where the store lies by default. */
  readonly data: string;
  readonly config: string;
  /** `command`: what starts another copy of the program than the built one. */
  start(args: readonly string[], more?: Readonly<Record<string, string>>, input?: string, command?: typeof programCommand): Started;
  run(args: readonly string[], more?: Readonly<Record<string, string>>, input?: string, command?: typeof programCommand): Promise<Ended>;
  /** Removes it. Throws when a secret of the test's issuers lies, or was said, where it does not belong (test/canaries.ts). */
  remove(): void;
  /** A file or folder of the test's own making, relative to the home, that may hold secrets: a helper's items, a secret file. */
  holdsSecrets(path: string): void;
}

/** No test waits longer for a program. Milliseconds. */
const longestRun = 25_000;

export function newHome(): Home {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-e2e-"));
  for (const name of ["home", "data", "config"]) mkdirSync(join(folder, name), { mode: 0o700 });
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(folder, "home"),
    XDG_DATA_HOME: join(folder, "data"),
    XDG_CONFIG_HOME: join(folder, "config"),
    XDG_RUNTIME_DIR: join(folder, "home"),
    KUBECONFIG: join(folder, "kubeconfig"),
    LANG: "C.UTF-8",
  };
  const running = new Set<ChildProcess>();
  const strays = new Set<string>();
  const declared: string[] = [];
  let started = 0;

  function start(args: readonly string[], more: Readonly<Record<string, string>> = {}, input?: string, [program, ...programArgs] = programCommand): Started {
    started++;
    const child = spawn(program, [...programArgs, ...args], { env: { ...env, ...more }, stdio: ["pipe", "pipe", "pipe"], cwd: folder });
    running.add(child);
    let stdout = "";
    let stderr = "";
    const watchers = new Set<() => void>();
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
      for (const look of watchers) look();
    });
    child.stdin.on("error", () => undefined);
    // What its children are given. Crowds are not watched: the look itself would slow them.
    const seen = new Set<string>();
    const look = () => {
      for (const text of processesBelow(child.pid ?? 0)) seen.add(text);
    };
    const watch = running.size > 4 ? undefined : setInterval(look, 10);
    if (input === undefined) child.stdin.end();
    else child.stdin.end(input);
    const timer = setTimeout(() => child.kill("SIGKILL"), longestRun);
    const ended = new Promise<Ended>((settle) => {
      child.on("close", (status, signal) => {
        clearTimeout(timer);
        clearInterval(watch);
        running.delete(child);
        for (const kind of secretsIn(stdout, ["token"])) strays.add(`stdout of ${args[0]}: a ${kind}`);
        for (const kind of secretsIn(stderr)) strays.add(`stderr of ${args[0]}: a ${kind}`);
        for (const text of seen) for (const kind of secretsIn(text)) strays.add(`arguments or environment of a child of ${args[0]}: a ${kind}`);
        settle({ status, signal, stdout, stderr });
      });
    });
    return {
      child,
      ended,
      sees: (pattern) =>
        new Promise((found, reject) => {
          const look = () => {
            const match = pattern.exec(stderr);
            if (match !== null) {
              watchers.delete(look);
              found(match);
            }
          };
          watchers.add(look);
          look();
          void ended.then(() => reject(new Error(`the program ended without saying ${pattern}:\n${stderr}`)));
        }),
    };
  }

  return {
    folder,
    env,
    data: join(folder, "data", "kubectl-oidc"),
    config: join(folder, "config", "kubectl-oidc"),
    start,
    run: (args, more, input, command) => start(args, more, input, command).ended,
    remove() {
      for (const child of running) child.kill("SIGKILL");
      const runtime = join(tmpdir(), `kubectl-oidc-${process.geteuid?.() ?? ""}`);
      const found = started === 0 ? [] : [...strays, ...strayFiles(folder, declared), ...strayFiles(runtime, [])];
      rmSync(folder, { recursive: true, force: true });
      if (found.length > 0) throw new Error(`secrets where they do not belong:\n${found.join("\n")}`);
    },
    holdsSecrets: (path) => void declared.push(path),
  };
}

/** The three-line error's code, or "none". */
export const errorCode = (ended: Ended) =>
  /\[([A-Z_]+)\]\n/.exec(
    ended.stderr
      .split("\n")
      .filter((line) => line.startsWith("kubectl-oidc: error:"))
      .join("\n")
      .concat("\n"),
  )?.[1] ?? "none";

/** Plays the person's browser against an issuer that redirects at once: gives the page of our listener. `visit`: how the issuer's is had. */
export async function browse(url: string, visit = asItIs): Promise<{ readonly status: number; readonly page: string }> {
  const redirect = await visit(url);
  const location = redirect.headers.get("location");
  if (location === null) throw new Error(`the issuer did not redirect: ${redirect.status} ${await redirect.text()}`);
  const page = await fetch(location, { redirect: "manual" });
  return { status: page.status, page: await page.text() };
}

const asItIs = (url: string): Promise<Response> => fetch(url, { redirect: "manual" });

/** The URL that the program asks to open. */
export const openUrl = /open this URL in your browser:\s+(\S+)/;

/** Runs a command that logs in by browser, and plays that browser. */
export async function runWithBrowser(
  home: Home,
  args: readonly string[],
  more?: Readonly<Record<string, string>>,
  visit?: typeof asItIs,
): Promise<Ended & { readonly page: string; readonly url: string }> {
  const started = home.start(args, more);
  const [, url = ""] = await started.sees(openUrl);
  const { page } = await browse(url, visit);
  return { ...(await started.ended), page, url };
}

/** KUBERNETES_EXEC_INFO as kubectl sends it. */
export function execInfo(parts: { readonly apiVersion?: string; readonly server?: string; readonly config?: unknown; readonly ca?: string } = {}): string {
  const cluster =
    parts.server === undefined ? undefined : { server: parts.server, ...(parts.ca === undefined ? {} : { "certificate-authority-data": parts.ca }), config: parts.config ?? null };
  return JSON.stringify({
    kind: "ExecCredential",
    apiVersion: parts.apiVersion ?? "client.authentication.k8s.io/v1",
    spec: { ...(cluster === undefined ? {} : { cluster }), interactive: false },
  });
}

export interface ExecCredential {
  readonly apiVersion: string;
  readonly kind: string;
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

/** stdout as one ExecCredential; throws when it is anything else. */
export function credentialOf(ended: Ended): ExecCredential {
  const lines = ended.stdout.split("\n");
  if (lines.length !== 2 || lines[1] !== "") throw new Error(`not one line: ${JSON.stringify(ended.stdout)}\n${ended.stderr}`);
  return JSON.parse(lines[0] ?? "") as ExecCredential;
}
