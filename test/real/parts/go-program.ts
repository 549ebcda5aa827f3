import { readFileSync, renameSync, rmSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { lacksChecksums, withoutChecksums } from "../../go-modules.ts";
import type { Making } from "./part.ts";
import { runTool } from "./run-tool.ts";

/** A program of a public Go module, built through a module of our own that requires it: `go install` takes none with replacements. */
export interface GoProgram {
  readonly module: string;
  /** `v1.2.3`; the part's version when not given. */
  readonly moduleVersion?: (version: string) => string;
  /** The main package; or its source, when the module holds none that can be built alone. */
  readonly main: { readonly package: string } | { readonly source: string };
  /** Modules that it replaces by folders of its own repository, in the versions in which they were published. */
  readonly published?: (version: string) => string;
  /** Newer modules than it asks for: `golang.org/x/sys v0.30.0`. */
  readonly newer?: readonly string[];
  /** For `-ldflags`, as `-X name=value`. */
  readonly variables?: (version: string) => Readonly<Record<string, string>>;
  /** Name of the program that comes out. */
  readonly file: string;
  readonly tags?: string;
  /** It holds C, SQLite for one. */
  readonly cgo?: true;
  readonly minutes: number;
}

/** Modules by the checksum database; where that cannot be reached, without it. */
const checked: Readonly<Record<string, string>> = { GOFLAGS: "-mod=mod", GOWORK: "off", CGO_ENABLED: "0" };
const unchecked: Readonly<Record<string, string>> = { ...checked, ...withoutChecksums };

/** Builds it with two jobs at most, and a deadline of six times what it takes on an idle machine. */
export function goProgram(program: GoProgram): Making {
  return {
    needs: program.cgo === true ? ["go", "gcc"] : ["go"],
    minutes: program.minutes,
    async into(folder, version) {
      const module = join(folder, "module");
      mkdirSync(module);
      try {
        await build(program, version, module, checked).catch((error: Error) => {
          if (!lacksChecksums(error.message)) throw error;
          process.stdout.write(`the checksum database is out of reach: ${program.module} is taken without it\n`);
          return build(program, version, module, unchecked);
        });
        renameSync(join(module, program.file), join(folder, program.file));
      } finally {
        rmSync(module, { recursive: true, force: true });
      }
    },
  };
}

async function build(program: GoProgram, version: string, cwd: string, env: Readonly<Record<string, string>>): Promise<void> {
  const { moduleVersion = (text) => text, main, published, newer = [], variables = () => ({}), cgo } = program;
  const required = `${program.module}@${moduleVersion(version)}`;
  const minutes = Math.max(5, program.minutes * 6);
  const go = (...args: readonly string[]) => runTool({ program: "go", args, cwd, env: cgo === true ? { ...env, CGO_ENABLED: "1" } : env, minutes });
  writeFileSync(join(cwd, "go.mod"), "module parts\n");
  const { GoMod } = JSON.parse(await go("mod", "download", "-json", required)) as { readonly GoMod: string };
  writeFileSync(join(cwd, "go.mod"), moduleFile(required, readFileSync(GoMod, "utf8"), published?.(version), newer));
  if ("source" in main) writeFileSync(join(cwd, "main.go"), main.source);
  const values = Object.entries(variables(version)).map(([name, value]) => ` -X ${name}=${value}`);
  const flags = ["-p", "2", "-trimpath", `-ldflags=-s -w${values.join("")}`, ...(program.tags === undefined ? [] : [`-tags=${program.tags}`])];
  await go("build", ...flags, "-o", basename(program.file), "package" in main ? main.package : ".");
}

/** Language version, debug settings, and other modules in a module's place are the main module's to say: they are taken over from the program's. */
export function moduleFile(required: string, theirs: string, published: string | undefined, newer: readonly string[]): string {
  const settings = theirs.split("\n").filter((line) => /^(go|godebug) \S+/.test(line));
  const block = /^godebug \(\n[\s\S]*?^\)$/m.exec(theirs)?.[0];
  const local = [...theirs.matchAll(/^\s*(?:replace )?(\S+) => \.\//gm)].map(([, name = ""]) => name);
  const forks = [...theirs.matchAll(/^\s*(?:replace )?(\S+(?: v\S+)? => [^./\s]\S* v\S+)/gm)].map(([, text = ""]) => `replace ${text}`);
  const replaced = published === undefined ? [] : local.map((name) => `replace ${name} => ${name} ${published}`);
  return `${["module parts", ...settings, ...(block === undefined ? [] : [block]), `require ${required.replace("@", " ")}`, ...newer.map((module) => `require ${module}`), ...forks, ...replaced].join("\n")}\n`;
}
