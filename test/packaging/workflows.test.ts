import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { targets } from "../../packaging/targets.mjs";
import { root } from "./whole-release.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly uses?: string;
  readonly needs?: string | readonly string[];
  readonly environment?: string;
  readonly "timeout-minutes"?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
  readonly strategy?: { readonly matrix: { readonly include: readonly Readonly<Record<string, string>>[] } };
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: { readonly group: string };
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = resolve(root, ".github/workflows");
const names = readdirSync(folder);
const textOf = (name: string) => readFileSync(resolve(folder, name), "utf8");
const workflows = names.map((name) => ({ name, text: textOf(name), workflow: parse(textOf(name)) as Workflow }));
const release = workflows.find(({ name }) => name === "release.yml")?.workflow.jobs ?? {};
const stepsOf = (job: Job) => job.steps ?? [];
const needsOf = (job: Job) => [job.needs ?? []].flat();

/** Everything that has to be done before a job begins. */
const before = (name: string): readonly string[] => {
  const needed = needsOf(release[name] ?? {});
  return [...new Set([...needed, ...needed.flatMap(before)])];
};

describe.each(workflows)("$name", ({ text, workflow }) => {
  it("may read and nothing else, unless a job says so", () => expect(workflow.permissions).toEqual({ contents: "read" }));

  it("does not run twice at once for the same thing", () => expect(workflow.concurrency.group).toMatch(/\{ github\.ref \}\}$/));

  it("ends every job by itself", () => {
    for (const [name, job] of Object.entries(workflow.jobs)) if (job.uses === undefined) expect(job["timeout-minutes"], name).toBeLessThanOrEqual(name === "gate" ? 100 : 60);
  });

  it("names every action by its commit, with the version beside it, and takes GitHub's own only", () => {
    const uses = text.split("\n").filter((line) => /^\s*(- )?uses: /.test(line));
    expect(uses.length).toBeGreaterThan(0);
    for (const line of uses) expect(line).toMatch(/uses: (actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\.\/\.github\/workflows\/[a-z]+\.yml)$/);
  });

  it("has one version of each action", () => {
    const versions = new Set([...text.matchAll(/uses: (actions\/\S+)/g)].map((match) => match[1]));
    expect(new Set([...versions].map((one) => one?.split("@")[0])).size).toBe(versions.size);
  });

  it("puts no text of somebody else's into a shell: expressions reach scripts through the environment", () => {
    for (const [name, job] of Object.entries(workflow.jobs)) for (const step of stepsOf(job)) expect(step.run ?? "", name).not.toMatch(/\$\{\{/);
  });

  it("leaves no credentials in a checkout that runs something of the repository", () => {
    for (const [name, job] of Object.entries(workflow.jobs)) {
      for (const step of stepsOf(job).filter(({ uses }) => uses?.startsWith("actions/checkout@"))) {
        // channels pushes, to another repository, with a key of that repository alone.
        expect(step.with?.["persist-credentials"], name).toBe(name === "channels");
      }
    }
  });

  it("takes nothing out of a cache that another run could have filled", () => {
    for (const [name, job] of Object.entries(workflow.jobs)) {
      for (const step of stepsOf(job).filter(({ uses }) => uses?.startsWith("actions/setup-node@"))) expect(step.with?.["package-manager-cache"], name).toBe(false);
      for (const step of stepsOf(job).filter(({ uses }) => uses?.startsWith("actions/setup-go@"))) expect(step.with?.["cache"], name).toBe(false);
      for (const { uses = "" } of stepsOf(job)) expect(uses, name).not.toMatch(/^actions\/cache/);
    }
  });

  it("has a Go of its own choice in every job that builds from Go modules", () => {
    for (const [name, job] of Object.entries(workflow.jobs)) {
      const needs = stepsOf(job).findIndex(({ run = "" }) => /\.ci\/run|lint-workflows|try-packages/.test(run));
      const setsUp = stepsOf(job).findIndex(({ uses = "" }) => uses.startsWith("actions/setup-go@"));
      if (needs !== -1) expect(setsUp !== -1 && setsUp < needs, name).toBe(true);
    }
  });

  it("runs only scripts that are there", () => {
    const { scripts } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as { readonly scripts: Readonly<Record<string, string>> };
    for (const [, file = ""] of text.matchAll(/\b(packaging\/[\w-]+\.(?:mjs|sh)|\.ci\/run)\b/g)) expect(existsSync(resolve(root, file)), file).toBe(true);
    for (const [, script = ""] of text.matchAll(/\bnpm run ([\w:]+)/g)) expect(scripts, script).toHaveProperty(script);
  });
});

describe("a release", () => {
  const privileged = Object.entries(release).filter(([, { permissions, environment }]) => environment !== undefined || Object.values(permissions ?? {}).includes("write"));

  it("gives rights to these jobs only: to attest, to publish on npm, to write the release; keys of the channels to one more", () => {
    expect(Object.fromEntries(privileged.map(([name, { permissions }]) => [name, permissions]))).toEqual({
      attest: { contents: "read", "id-token": "write", attestations: "write" },
      npm: { contents: "read", "id-token": "write" },
      github: { contents: "write" },
      channels: undefined,
    });
  });

  it("runs nothing of the repository and installs nothing where there are rights", () => {
    for (const [name, job] of privileged) {
      for (const { run = "", uses = "", with: given } of stepsOf(job)) {
        expect(run, name).not.toMatch(/npm (ci|install|run)|npx|packaging\//);
        if (uses.startsWith("actions/checkout@")) expect(given?.["repository"], name).toMatch(/^kubectl-oidc\/\$\{\{ matrix\.repository \}\}$/);
      }
    }
  });

  it("publishes nothing before the gate has passed, every executable has run, and everything is attested", () => {
    for (const name of ["npm", "github", "channels"]) expect(before(name)).toEqual(expect.arrayContaining(["tag", "ci", "build", "sign", "smoke", "packages", "attest"]));
  });

  it("shows each channel's job the key of its own repository and no other secret", () => {
    expect(release["channels"]?.environment).toBe("$".concat("{{ matrix.repository }}"));
    const secrets = workflows.flatMap(({ text }) => [...text.matchAll(/secrets[.[]\w+/g)].map(([one]) => one));
    expect(secrets).toEqual(["secrets.DEPLOY_KEY"]);
  });

  it("publishes on npm without a token, with provenance and without scripts", () => {
    const script = stepsOf(release["npm"] ?? {})
      .map(({ run }) => run ?? "")
      .join("\n");
    expect(script).toMatch(/npm publish .*--ignore-scripts .*--provenance/);
    expect(workflows.map(({ text }) => text).join("\n")).not.toMatch(/NPM_TOKEN|NODE_AUTH_TOKEN/);
  });

  it("runs the executable of every target on such a machine first, but for one that GitHub has no machine for", () => {
    const tried = (release["smoke"]?.strategy?.matrix.include ?? []).map(({ target }) => target);
    expect(targets.map(({ name }) => name).filter((name) => !tried.includes(name))).toEqual(["linux-arm64-musl"]);
  });
});
