import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

/** The arrows of the house (docs/explanation/architecture in CONTRIBUTING.md): which room may import which. */
const mayEnter: Readonly<Record<string, readonly string[]>> = {
  bin: ["hot", "cli/main.ts", "core/program-form.ts", "adapters/keychain-child.ts", "adapters/keychain-start.ts", "adapters/compiled-code.ts"],
  hot: ["core"],
  errors: [],
  core: ["errors"],
  "ports.ts": ["core", "errors"],
  app: ["ports.ts", "core", "errors"],
  adapters: ["ports.ts", "core", "errors"],
  cli: ["app", "ports.ts", "core", "errors", "compose.ts", "hot/write-out.ts", "adapters/stderr-writer.ts"],
  "compose.ts": ["adapters", "app", "ports.ts", "core", "errors", "hot"],
};

const instead: Readonly<Record<string, string>> = {
  core: "core is pure: pass the value in, or describe what should happen as data",
  app: "app sees the outside world through ports.ts only: add a method there and an adapter behind it",
  adapters: "an adapter serves one technology and knows no use case: move the decision to app/ or core/",
  cli: "cli talks to app/ and to compose.ts: give the machine a method there",
  hot: "the hot path may load node:fs and core only (docs/adr/0001-hot-path.md)",
};

const root = resolve(import.meta.dirname, "..");
const sources = [...filesUnder(join(root, "src")), ...filesUnder(join(root, "bin"))].map((path) => relative(root, path));

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}

const importsOf = (file: string) =>
  [...readFileSync(join(root, file), "utf8").matchAll(/^(?:import|export)\b[^"';]*?\bfrom\s+["']([^"']+)["']|^import\s+["']([^"']+)["']|\bimport\(["']([^"']+)["']\)/gm)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );
const roomOf = (file: string) => (file.startsWith("bin/") ? "bin" : (file.split("/")[1] ?? ""));

describe("the arrows between the rooms", () => {
  it.each(sources)("%s enters only the rooms that it may", (file) => {
    const room = roomOf(file);
    for (const specifier of importsOf(file)) {
      if (!specifier.startsWith(".")) continue;
      const target = relative(join(root, "src"), resolve(root, dirname(file), specifier));
      const targetRoom = target.split("/")[0] ?? "";
      const allowed = targetRoom === room || (mayEnter[room] ?? []).some((open) => open === targetRoom || open === target);
      expect(allowed, `${file} imports ${target}: ${instead[room] ?? "not an arrow of the house"}`).toBe(true);
    }
  });

  it.each(sources.filter((file) => /^src\/(core|errors|app)\/|^src\/ports\.ts$/.test(file)))("%s imports no package and nothing of Node", (file) => {
    expect(
      importsOf(file).filter((specifier) => !specifier.startsWith(".")),
      instead[roomOf(file)] ?? "",
    ).toEqual([]);
  });

  it.each(sources.filter((file) => file.startsWith("src/hot/")))("%s loads node:fs only", (file) => {
    expect(importsOf(file).filter((specifier) => !specifier.startsWith(".") && specifier !== "node:fs")).toEqual([]);
  });

  it("a hit mentions nothing that takes the standalone executable 0.05 ms or more at its first mention (docs/adr/0013-standalone.md)", () => {
    for (const name of ["hot/answer", "hot/cached-token", "hot/write-out", "core/data-folder", "core/exec-credential", "core/handout", "core/memo", "core/mixed-name"]) {
      const code = withoutComments(readFileSync(join(root, `src/${name}.ts`), "utf8"));
      expect(code.match(/\bMath\.|\bBuffer\.|\.(every|some|map|filter|find|flatMap|reduce)\(/g) ?? [], name).toEqual([]);
    }
  });

  it("core reads no clock, no randomness and no process", () => {
    for (const file of sources.filter((name) => name.startsWith("src/core/"))) {
      const code = withoutComments(readFileSync(join(root, file), "utf8"));
      expect(code.match(/\bprocess\.|Date\.now\(|new Date\(\)|Math\.random\(|\bBuffer\b|globalThis\.crypto/g) ?? [], file).toEqual([]);
    }
  });

  it("has no cycles, not even of types", () => {
    const seen = new Map<string, "open" | "done">();
    const visit = (file: string, path: readonly string[]): void => {
      if (seen.get(file) === "done") return;
      expect(seen.get(file), `cycle: ${[...path, file].join(" → ")}`).toBeUndefined();
      seen.set(file, "open");
      for (const specifier of importsOf(file)) {
        if (specifier.startsWith(".")) visit(relative(root, resolve(root, dirname(file), specifier)), [...path, file]);
      }
      seen.set(file, "done");
    };
    for (const file of sources) visit(file, []);
  });
});

describe("the house rules", () => {
  it("only cli/output.ts and the hot path write to stdout", () => {
    for (const file of sources.filter((name) => name !== "src/hot/write-out.ts" && name !== "src/adapters/keychain-child.ts")) {
      const code = withoutComments(readFileSync(join(root, file), "utf8"));
      expect(code.match(/process\.stdout|console\.|writeSync\(1\b/g) ?? [], file).toEqual([]);
    }
  });

  it("only the stderr writer and its last gate write to stderr, readline's echo and a program that cannot be loaded apart [TE-01]", () => {
    const own = ["src/adapters/stderr-writer.ts", "src/adapters/terminal.ts", "src/adapters/question.ts", "bin/kubectl-oidc.ts"];
    for (const file of sources.filter((name) => !own.includes(name))) {
      expect(withoutComments(readFileSync(join(root, file), "utf8")).match(/process\.stderr|writeSync\(2\b/g) ?? [], `${file}: use the terminal`).toEqual([]);
    }
  });

  it("no message shows an issuer's URL as it came: shownUrl makes look-alike letters visible [TE-02]", () => {
    for (const file of sources.filter((name) => /^src\/(app|cli|adapters)\//.test(name))) {
      expect(readFileSync(join(root, file), "utf8").match(/\$\{(?:\w+\.)*issuer\}/g) ?? [], file).toEqual([]);
    }
  });

  it("programs are started without a shell, by a path that was found before, never by a name [TE-03, TE-05]", () => {
    for (const file of sources) {
      const code = withoutComments(readFileSync(join(root, file), "utf8"));
      const imported =
        /import \{([^}]*)\} from "node:child_process"/
          .exec(code)?.[1]
          ?.split(",")
          .map((name) => name.trim()) ?? [];
      expect(
        imported.filter((name) => name !== "spawn" && !name.startsWith("type ")),
        file,
      ).toEqual([]);
      expect(code.match(/\bshell:|import\("node:child_process"\)/g) ?? [], file).toEqual([]);
      for (const [, what] of code.matchAll(/\bspawn\(([^,]*)/g)) expect(["process.execPath", "path", "program"], file).toContain(what);
    }
  });

  it.each(sources)("%s stays below 300 lines, tables exempt, and is named after what it does", (file) => {
    const lines = readFileSync(join(root, file), "utf8").split("\n").length;
    if (!/catalogue\.ts$|flag-table\.ts$/.test(file)) expect(lines).toBeLessThan(300);
    expect(basename(file)).not.toMatch(/^(utils?|helpers?|common|types|misc|shared)\.ts$/);
  });

  it("bin entries have 30 lines at most", () => {
    for (const file of sources.filter((name) => name.startsWith("bin/"))) expect(readFileSync(join(root, file), "utf8").split("\n").length).toBeLessThanOrEqual(31);
  });

  it("has no mutable state in modules", () => {
    for (const file of sources) expect(readFileSync(join(root, file), "utf8").match(/^(?:export )?let /gm) ?? [], file).toEqual([]);
  });

  it("never uses the keychain binding's keytar face, and no fetch but ours", () => {
    for (const file of sources) {
      expect(
        importsOf(file).filter((name) => name.includes("keytar") || name.includes("undici")),
        file,
      ).toEqual([]);
      expect(withoutComments(readFileSync(join(root, file), "utf8")).match(/(?<![.\w])fetch\("/g) ?? [], file).toEqual([]);
    }
  });
});

describe("what is built", () => {
  const hot = () => readFileSync(join(root, "dist/kubectl-oidc.cjs"), "utf8");

  it("loads node:fs and nothing else of Node before the cached answer is out", () => {
    const required = [...hot().matchAll(/require\("([^"]+)"\)/g)].map((match) => match[1] ?? "");
    expect([...new Set(required)].sort()).toEqual(["./cli.cjs", "./compiled.cjs", "./start.cjs", "node:fs"]);
    expect(builtinModules).toContain("fs");
  });

  it("is small enough to be parsed in no time", () => {
    expect(hot().length).toBeLessThan(16_384);
  });
});

const withoutComments = (code: string) => code.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
