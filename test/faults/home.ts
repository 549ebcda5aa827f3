import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProgramPlan } from "./preload/program-plan.ts";

/** The copy of the program that this run tests. */
export interface Program {
  readonly entry: string;
  readonly preload: string;
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** The first match in stderr; undefined when the program ends without it. */
  sees(pattern: RegExp): Promise<RegExpExecArray | undefined>;
}

/** Folders that a power cut empties: the runtime folder always lies in memory, the temporary one often. */
const inMemory = ["run", "tmp"] as const;
/** Nothing in this ring takes longer. Milliseconds. */
const longestRun = 60_000;

/** A home for one session: its files, and how the program runs in it. */
export interface Home {
  readonly folder: string;
  /** The store's folder. */
  readonly data: string;
  readonly log: string;
  start(args: readonly string[], plan?: Omit<ProgramPlan, "data" | "log">): Started;
  /** Many runs at once, started by one shell: faster than we could, and while the issuer of this process goes on answering. */
  burst(count: number, args: readonly string[]): Promise<readonly Pick<Ended, "status" | "stdout" | "stderr">[]>;
  /** What the program did in its last run with a plan; a fault's line begins with `!`. */
  operations(): readonly string[];
  /** Makes the cached token old: it lived an hour and has one second left. */
  ageToken(): void;
  /** As after a power cut. */
  emptyMemory(): void;
  /** Command lines of processes that run in this home. */
  processes(): readonly string[];
  /** Every file under the home with its text. */
  files(): readonly { readonly path: string; readonly text: string }[];
  remove(): void;
}

export function newHome(program: Program, folder: string, more: Readonly<Record<string, string>> = {}): Home {
  for (const name of ["home", "data", "config", ...inMemory]) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  const log = `${folder}.log`;
  const data = join(folder, "data", "kubectl-oidc");
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(folder, "home"),
    XDG_DATA_HOME: join(folder, "data"),
    XDG_CONFIG_HOME: join(folder, "config"),
    XDG_RUNTIME_DIR: join(folder, "run"),
    TMPDIR: join(folder, "tmp"),
    KUBECONFIG: join(folder, "kubeconfig"),
    LANG: "C.UTF-8",
    ...more,
  };
  const running = new Set<ChildProcess>();

  function files(inside = folder): readonly { readonly path: string; readonly text: string }[] {
    if (!existsSync(inside)) return [];
    return readdirSync(inside, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => ({ path, text: readFileSync(path, "latin1") }));
  }

  return {
    folder,
    data,
    log,
    start(args, plan) {
      if (plan !== undefined) writeFileSync(log, "");
      const before = plan === undefined ? [] : ["--require", program.preload];
      const planned = plan === undefined ? {} : { FAULTS_PLAN: JSON.stringify({ ...plan, data, log } satisfies ProgramPlan) };
      const child = spawn(process.execPath, [...before, program.entry, ...args], { env: { ...env, ...planned }, stdio: ["ignore", "pipe", "pipe"], cwd: folder });
      running.add(child);
      child.once("exit", () => running.delete(child));
      return watch(child);
    },
    async burst(count, args) {
      const into = `${folder}.burst`;
      mkdirSync(into, { recursive: true });
      const script = `i=0; while [ $i -lt ${count} ]; do { "$@" >"${into}/$i.out" 2>"${into}/$i.err"; echo $? >"${into}/$i.status"; } & i=$((i+1)); done; wait`;
      const shell = spawn("/bin/sh", ["-c", script, "sh", process.execPath, program.entry, ...args], { env, stdio: "ignore", cwd: folder });
      running.add(shell);
      await new Promise((done) => shell.once("exit", done));
      running.delete(shell);
      const text = (i: number, what: string) => readFileSync(join(into, `${i}.${what}`), "utf8");
      const all = Array.from({ length: count }, (_, i) => ({ status: Number(text(i, "status")), stdout: text(i, "out"), stderr: text(i, "err") }));
      rmSync(into, { recursive: true });
      return all;
    },
    operations: () => readFileSync(log, "utf8").split("\n").filter(Boolean),
    ageToken() {
      const now = Date.now() / 1000;
      const inside = join(data, "credentials");
      for (const name of existsSync(inside) ? readdirSync(inside) : []) {
        if (!name.endsWith(".json")) continue;
        const record: object = JSON.parse(readFileSync(join(inside, name), "utf8"));
        writeFileSync(join(inside, name), JSON.stringify({ ...record, receivedAt: now - 3_599, expiresAt: now + 1 }), { mode: 0o600 });
      }
    },
    emptyMemory() {
      for (const name of inMemory) for (const inside of readdirSync(join(folder, name))) rmSync(join(folder, name, inside), { recursive: true });
    },
    processes: () => processesIn(folder),
    files,
    remove() {
      for (const child of running) child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
      rmSync(log, { force: true });
    },
  };
}

function watch(child: ChildProcess): Started {
  const started = performance.now();
  const seen = { stdout: "", stderr: "", looks: new Set<() => void>() };
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    seen.stdout += chunk;
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    seen.stderr += chunk;
    for (const look of seen.looks) look();
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), longestRun);
  const ended = new Promise<Ended>((settle) => {
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      settle({ status, signal, stdout: seen.stdout, stderr: seen.stderr, ms: performance.now() - started });
    });
  });
  const sees = (pattern: RegExp) =>
    new Promise<RegExpExecArray | undefined>((found) => {
      const look = () => {
        const match = pattern.exec(seen.stderr);
        if (match !== null) found(match);
      };
      seen.looks.add(look);
      look();
      void ended.then(() => found(undefined));
    });
  return { child, ended, sees };
}

/** By their environment, which holds the home's folder; only Linux shows it. */
function processesIn(folder: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, "latin1").includes(`HOME=${folder}/home`)) return [];
        // A zombie is gone; its parent has yet to look.
        if (/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "latin1"))) return [];
        return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").slice(0, 120)}`];
      } catch {
        return [];
      }
    });
}
