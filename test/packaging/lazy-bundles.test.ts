import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildLazyBundles, lazyBundles, lazyDoors } from "../../packaging/lazy-bundles.mjs";

const root = resolve(import.meta.dirname, "../..");
const options = {
  bundle: true,
  platform: "node",
  format: "cjs",
  supported: { "dynamic-import": false },
  define: { "import.meta.url": "__bundle.url", PROGRAM_VERSION: '"0"', PROGRAM_COMMIT: '"0"' },
  external: ["@napi-rs/keyring", "fs-native-extensions"] as string[],
  metafile: true,
  logLevel: "silent",
} as const;

interface Row {
  readonly after?: string;
  readonly doors: readonly string[];
}
const rows = Object.entries(lazyBundles as Readonly<Record<string, Row>>);
const before = (name: string): readonly string[] => {
  const after = (lazyBundles as Readonly<Record<string, Row>>)[name]?.after;
  return after === undefined ? [] : [after, ...before(after)];
};

describe("the bundles of the npm program", () => {
  let folder: string;
  /** Bundle → the sources of ours that are inside. */
  const inside = new Map<string, readonly string[]>();
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-bundles-"));
    for (const { metafile } of (await buildLazyBundles(folder, options)) as readonly { readonly metafile: { readonly outputs: Record<string, { readonly inputs: object }> } }[]) {
      const [[path, output] = ["", { inputs: {} }]] = Object.entries(metafile.outputs);
      inside.set(
        /(\w+)\.cjs$/.exec(path)?.[1] ?? "",
        Object.keys(output.inputs).filter((file) => file.startsWith("src/")),
      );
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(rows)("%s: each door is there, and in this bundle only", (name, { doors }) => {
    for (const door of doors) {
      expect(existsSync(join(root, "src", door)), door).toBe(true);
      expect([...inside].filter(([, files]) => files.includes(`src/${door}`)).map(([bundle]) => bundle)).toEqual([name]);
    }
  });

  it.each(rows)("%s: holds nothing that is loaded already when it is", (name) => {
    const loaded = new Set(before(name).flatMap((other) => inside.get(other) ?? []));
    expect((inside.get(name) ?? []).filter((file) => loaded.has(file))).toEqual([]);
  });

  it("a door gives functions only: whoever takes a table of it has no build", async () => {
    const made = (text: string) => build({ ...options, stdin: { contents: text, resolveDir: root, loader: "ts" }, write: false, plugins: [lazyDoors("cli")] });
    await expect(made(`import { topicNames } from "./src/cli/help-topics.ts"; topicNames();`)).resolves.toBeDefined();
    await expect(made(`import { topicTable } from "./src/cli/help-topics.ts"; topicTable.config;`)).rejects.toThrow(/No matching export.*topicTable/s);
  });
});
