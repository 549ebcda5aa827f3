import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

interface Figures {
  row(id: string): { readonly value?: number } | undefined;
}
interface Generator {
  readFigures(text: string): Figures;
  withSections(page: string, sections: Readonly<Record<string, readonly string[]>>): string;
  performancePlot(figures: Figures): string;
  readmeSections(figures: Figures): { readonly speed: readonly string[] };
}

/** The generator is JavaScript without types. */
const load = async (name: string): Promise<Generator> => (await import(join(root, "docs/generate", name))) as Generator;
const { readFigures } = await load("performance.mjs");
const { withSections } = await load("sections.mjs");
const { performancePlot } = await load("performance-plot.mjs");
const { readmeSections } = await load("performance-tables.mjs");

const process = (id: string, name: string, ms: number) => ({ id, name, kind: "ours", ms, quartiles: [ms - 1, ms + 1], mib: 40 });
const report = {
  schema: 1,
  date: "2026-11-28T08:00:00.000Z",
  program: { version: "0.1.0", commit: "0123456789ab" },
  machine: { cpu: "A <Processor>", cores: 2, memoryGib: 4, os: "Debian", kernel: "linux 6", node: "20.20.2", loadBefore: 0.1 },
  method: "posix_spawn to wait4, by Python 3.11.2",
  rows: [{ id: "hot-20", title: "a cached token", unit: "x", status: "ok", value: 1.06, shown: "1.06 x" }],
  processes: [process("hot@20", "npm program, Node 20", 21.4), process("empty@20", "empty script, Node 20", 20.2)],
  phases: [],
  storms: [],
};

describe("the sections of a page", () => {
  const page = "before\n<!-- figures: a (npm run docs) -->\nold\n<!-- /figures -->\nafter\n";

  it("are replaced, and nothing else; twice is as once", () => {
    const written = withSections(page, { a: ["new"] });
    expect(written).toBe("before\n<!-- figures: a (npm run docs) -->\n\nnew\n\n<!-- /figures -->\nafter\n");
    expect(withSections(written, { a: ["new"] })).toBe(written);
  });

  it("must be there once", () => {
    expect(() => withSections(page, { b: [] })).toThrow("figures: b");
    expect(() => withSections(page + page, { a: [] })).toThrow("once");
  });
});

describe("the report of the bench", () => {
  it("that npm's own lines precede is refused, with the command that makes it right", () => {
    expect(() => readFigures(`\n> bench\n${JSON.stringify(report)}`)).toThrow("npm run --silent bench -- --json");
    expect(() => readFigures(JSON.stringify({ ...report, schema: 2 }))).toThrow("no report");
  });

  it("makes a table that is dated and says on what machine; what was not measured is a dash", () => {
    const lines = readmeSections(readFigures(JSON.stringify(report))).speed.join("\n");
    expect(lines).toContain("Measured on 2026-11-28");
    expect(lines).toContain("A <Processor>, 2 cores, 4 GiB");
    expect(lines).toContain("| a cached `get-token` (to an empty script on the same Node; the others: on Node 24) | 21.4 ms (1.06 ×) | – | – |");
  });
});

describe("the picture", () => {
  const plot = performancePlot(readFigures(JSON.stringify(report)));

  it("says all of it in words too, for who cannot see it", () => {
    expect(plot).toContain('role="img" aria-labelledby="title text"');
    expect(plot).toMatch(/<title id="title">[^<]+<\/title>/);
    expect(/<desc id="text">([\s\S]*?)<\/desc>/.exec(plot)?.[1]).toBe(
      "kubectl-oidc, a cached token:\nnpm program, Node 20: 21.4 ms\nbare runtimes, an empty program:\nempty script, Node 20: 20.2 ms",
    );
  });

  it("is light or dark as its page is, and has a value beside every bar", () => {
    expect(plot).toContain("@media (prefers-color-scheme: dark)");
    expect(plot.match(/<rect class="(?:ours|peer|runtime)"/g)).toHaveLength(2);
    expect(plot.match(/class="value"[^>]*>[\d.]+ ms</g)).toHaveLength(2);
  });

  it("holds nothing of the machine as markup", () => {
    expect(plot).toContain("A &lt;Processor&gt;");
  });
});

it("the figures of the pages are those of the report that is kept", () => {
  const kept = readFigures(readFileSync(join(root, "docs/explanation/performance.json"), "utf8"));
  for (const id of ["hot-20", "standalone", "refresh", "login", "storm-hits"]) expect(kept.row(id), id).toBeDefined();
  const page = readFileSync(join(root, "README.md"), "utf8");
  for (const line of readmeSections(kept).speed) expect(page).toContain(line);
});
