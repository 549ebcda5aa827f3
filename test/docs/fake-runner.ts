import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** What a script of a recipe came to. */
export interface Script {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RanStep extends Script {
  readonly name: string;
  /** What the page of the run would show: commands taken out, masked values hidden. */
  readonly log: string;
  /** What was printed beside the commands, with nothing hidden. */
  readonly unmasked: string;
}

/**
 * Runs the `run:` steps of a workflow's one job, as a runner does as far as these need it: $GITHUB_ENV between steps, $RUNNER_TEMP, secrets in
 * `env`, `::add-mask::`, `if: always()`. Steps with `uses:` are passed over.
 */
export async function runWorkflow(
  text: string,
  how: {
    readonly folder: string;
    readonly secrets: Readonly<Record<string, string>>;
    /** What a runner gives to a job with `id-token: write`. */
    readonly identity?: Readonly<Record<string, string>>;
    readonly run: (script: string, env: Readonly<Record<string, string>>) => Promise<Script>;
  },
): Promise<readonly RanStep[]> {
  const { permissions, jobs } = parse(text) as {
    readonly permissions: Readonly<Record<string, string>>;
    readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
  };
  const [job] = Object.values(jobs);
  const temp = join(how.folder, "temp");
  const envFile = join(how.folder, "env");
  mkdirSync(temp, { recursive: true });
  writeFileSync(envFile, "");
  const masks = new Set(Object.values(how.secrets));
  const ran: RanStep[] = [];
  for (const step of job?.steps ?? []) {
    const failed = ran.some(({ status }) => status !== 0);
    if (step.run === undefined || (failed && step.if !== "always()")) continue;
    const expressions = (value: string) => value.replaceAll(/\$\{\{ secrets\.(\w+) \}\}/g, (_, name: string) => how.secrets[name] ?? "");
    const own = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, expressions(value)]));
    const done = await how.run(step.run, {
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_ENV: envFile,
      RUNNER_TEMP: temp,
      ...(permissions["id-token"] === "write" ? how.identity : {}),
      ...variablesOf(envFile),
      ...own,
    });
    const lines = `${done.stdout}${done.stderr}`.split("\n");
    for (const line of lines) if (line.startsWith("::add-mask::")) masks.add(line.slice("::add-mask::".length));
    const unmasked = lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
    ran.push({ ...done, name: step.name ?? "", unmasked, log: [...masks].filter(Boolean).reduce((log, secret) => log.replaceAll(secret, "***"), unmasked) });
  }
  return ran;
}

interface GitlabJob {
  readonly variables?: Readonly<Record<string, string>>;
  readonly id_tokens?: Readonly<Record<string, { readonly aud: string }>>;
  readonly before_script?: readonly string[];
  readonly script: readonly string[];
  readonly after_script?: readonly string[];
}

/** Runs the one job of a `.gitlab-ci.yml`: `before_script` and `script` in one shell, `after_script` in another; the variables of `id_tokens:` are masked. */
export async function runGitlabJob(
  text: string,
  how: {
    readonly idToken: (audience: string) => Promise<string>;
    readonly run: (script: string, env: Readonly<Record<string, string>>) => Promise<Script>;
  },
): Promise<{ readonly job: Script; readonly after: Script }> {
  const [job] = Object.values(parse(text) as Readonly<Record<string, GitlabJob>>);
  if (job === undefined) throw new Error("no job");
  const tokens = await Promise.all(Object.entries(job.id_tokens ?? {}).map(async ([name, { aud }]) => [name, await how.idToken(aud)] as const));
  const env = { CI: "true", GITLAB_CI: "true", CI_JOB_ID: "4711", CI_SERVER_URL: "https://gitlab.example.com", ...job.variables, ...Object.fromEntries(tokens) };
  const ran = await how.run([...(job.before_script ?? []), ...job.script].join("\n"), env);
  return { job: ran, after: await how.run((job.after_script ?? []).join("\n"), env) };
}

function variablesOf(file: string): Readonly<Record<string, string>> {
  if (!existsSync(file)) return {};
  return Object.fromEntries(
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}
