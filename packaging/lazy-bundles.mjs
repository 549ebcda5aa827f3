// The npm program's bundles: which modules are loaded only when they are needed (docs/adr/0012-slow-paths.md). One parses Node some 3 ms for
// each 100 KB, used or not.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "..");

/**
 * Bundle → the modules that lead into it (its doors, below src/). An `import()` of a door becomes a require; so does, at its first call, each
 * function that is imported of one by name. What doors import is bundled with them, unless it leads into another bundle, or lies in one
 * that is loaded already whenever this one is: `after`.
 */
export const lazyBundles = {
  // Loaded before all others, by the entry.
  compiled: { doors: ["adapters/compiled-code.ts"] },
  // Before the others as well, by the call that renews a token; after them by others that ask the keychain.
  start: { doors: ["adapters/keychain-start.ts"] },
  cli: { doors: ["cli/main.ts"] },
  // For command lines that are not plain: help, and what cannot be read.
  commander: { after: "cli", doors: ["cli/commander-reading.ts"] },
  help: { after: "cli", doors: ["cli/help.ts", "cli/help-topics.ts", "cli/completion.ts"] },
  work: { after: "cli", doors: ["compose.ts", "cli/hints.ts", "cli/get-token.ts", "cli/token.ts"] },
  status: { after: "work", doors: ["cli/status.ts"] },
  session: { after: "work", doors: ["cli/login.ts", "cli/whoami.ts", "cli/logout.ts", "cli/trust.ts", "cli/session-audiences.ts"] },
  // While the log is on; and who reads it.
  audit: { after: "work", doors: ["cli/audit.ts", "app/audit-trail.ts", "adapters/audit-log.ts", "adapters/audit-files.ts"] },
  setup: { after: "work", doors: ["cli/setup.ts"] },
  migrate: { after: "work", doors: ["cli/migrate.ts"] },
  doctor: { after: "work", doors: ["cli/doctor.ts"] },
  login: {
    after: "work",
    doors: ["app/log-in.ts", "app/log-in-now.ts", "app/ask-for-id-token.ts", "adapters/browser.ts", "adapters/loopback-server.ts", "adapters/question.ts", "adapters/qr.ts"],
  },
  machine: { after: "work", doors: ["app/log-in-machine.ts", "adapters/subject-token/subject-tokens.ts", "core/job-endpoint.ts"] },
  oidc: {
    after: "work",
    doors: ["openid-provider", "https-fetch", "issuer-inspection", "api-server", "trust-roots", "proxy"].map((name) => `adapters/${name}.ts`),
    // In place of the global ones, which bring Node's whole fetch along.
    inject: ["src/adapters/plain-response.ts"],
  },
  // What few options bring: files with secrets, an authority's data.
  values: { after: "work", doors: ["adapters/secret-file.ts", "core/authority-data.ts"] },
  // Clients that prove themselves with a key or a certificate.
  proof: { after: "work", doors: ["adapters/client-key.ts", "adapters/client-certificate.ts"] },
  proxy: { after: "oidc", doors: ["adapters/proxy-agent.ts"] },
  kubeconfig: { after: "work", doors: ["authority-file", "kubeconfig", "kubeconfig-mention", "kubeconfig-survey", "kuberc-file"].map((name) => `adapters/${name}.ts`) },
  yaml: {
    after: "work",
    doors: ["yaml-document", "config-text", "kubeconfig-mask", "kubeconfig-plan", "kubeconfig-writer", "hardening", "yaml-text"].map((name) => `adapters/${name}.ts`),
  },
  keychain: { after: "work", doors: ["adapters/keychain.ts", "adapters/credential-helper.ts"] },
  programs: { after: "work", doors: ["adapters/plugin-programs.ts", "adapters/kubelogin-cache.ts", "adapters/kubelogin-lock.ts", "adapters/releases.ts"] },
};

/** Door (absolute path) → its bundle. */
const doors = new Map(Object.entries(lazyBundles).flatMap(([bundle, { doors }]) => doors.map((door) => [resolve(root, "src", door), bundle])));

/** Bundles that are loaded already when this one is, the nearest first. */
const before = (bundle) => (lazyBundles[bundle]?.after === undefined ? [] : [lazyBundles[bundle].after, ...before(lazyBundles[bundle].after)]);

/** Source (absolute path) → its number, by which one build is as the other. */
const numbers = new Map(
  readdirSync(resolve(root, "src"), { recursive: true })
    .sort()
    .map((file, i) => [resolve(root, "src", file), i]),
);

/** For a bundle that others wait for: it exports what they use of its modules. Names of modules may be equal, so each has the module's number. */
function openLedger() {
  const used = new Map();
  return {
    /** Module (absolute path) → the bundle that has it. */
    owners: new Map(),
    nameOf(file, name) {
      used.set(file, (used.get(file) ?? new Set()).add(name));
      return `m${numbers.get(file)}_${name}`;
    },
    /** The exports that `bundle` owes the others. */
    textOf(bundle) {
      const owed = [...used].filter(([file]) => this.owners.get(file) === bundle).sort(([a], [b]) => numbers.get(a) - numbers.get(b));
      return owed
        .map(
          ([file, names]) =>
            `export { ${[...names]
              .sort()
              .map((name) => `${name} as m${numbers.get(file)}_${name}`)
              .join(", ")} } from ${quoted(file)};\n`,
        )
        .join("");
    },
  };
}

const quoted = (file) => JSON.stringify(`./${relative(root, file).replaceAll("\\", "/")}`);

/** For esbuild: keeps out of `bundle` what leads into other bundles, and what those before it have. `type`: the bundles' file type. */
export const lazyDoors = (bundle, ledger = openLedger(), type = "cjs") => ({
  name: "lazy-doors",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, kind, importer, resolveDir }) => {
      const file = resolve(resolveDir, path);
      const door = doors.get(file);
      if (door !== undefined && door !== bundle) {
        if (kind === "dynamic-import") return { path: `./${door}.${type}`, external: true };
        return { path: file, namespace: "lazy-door" };
      }
      const owner = ledger.owners.get(file);
      if (owner === undefined || !before(bundle).includes(owner)) return undefined;
      if (kind === "dynamic-import") throw new Error(`${importer}: an import() of what is loaded already`);
      const names = namesOf(importer, path);
      return { path: `${file}?${names}`, namespace: "shared", pluginData: { file, owner, names } };
    });
    if (type === "cjs")
      esbuild.onLoad({ filter: /[\\/]src[\\/].*\.ts$/, namespace: "file" }, ({ path }) => ({ contents: cheaperImports(readFileSync(path, "utf8")), loader: "ts" }));
    esbuild.onResolve({ filter: /^\.\/[a-z]+\.[cm]js$/ }, ({ path }) => ({ path, external: true }));
    esbuild.onLoad({ filter: /./, namespace: "lazy-door" }, ({ path }) => ({ contents: doorText(path, type), resolveDir: dirname(path) }));
    esbuild.onLoad({ filter: /./, namespace: "shared" }, ({ pluginData: { file, owner, names } }) => ({
      contents: `export { ${names.map((name) => `${ledger.nameOf(file, name)} as ${name}`).join(", ")} } from "./${owner}.${type}";`,
      resolveDir: root,
    }));
  },
});

/**
 * Of Node's modules. A namespace would be made by copying every property, several times in each bundle; and functions of node:crypto, which takes 2 to
 * 4 ms to load, have it loaded when they are called: who only reads what is stored needs none.
 */
function cheaperImports(text) {
  return text
    .replace(/^import \* as (\w+) from "(node:\w+)";$/gm, 'const $1 = require("$2");')
    .replace(/^import \{ ([a-z]\w*(?:, [a-z]\w*)*) \} from "node:crypto";$/gm, (whole, names) =>
      /\b(constants|type)\b/.test(names)
        ? whole
        : names
            .split(", ")
            .map((name) => `const ${name} = (...given) => require("node:crypto").${name}(...given);`)
            .join(" "),
    );
}

/** The values that a module takes by name from `path`. */
function namesOf(importer, path) {
  const text = readFileSync(importer, "utf8");
  const clauses = [...text.matchAll(/^(?:import|export) (?:type )?(?:\{([^}]*)\}|[^{};"]*) from "([^"]+)";/gm)].filter(([, , from]) => from === path);
  return clauses.flatMap(([clause, names]) => {
    if (/^(import|export) type /.test(clause)) return [];
    if (names === undefined) throw new Error(`${relative(root, importer)} takes the whole of ${path}, which is in another bundle: name what it needs`);
    return names
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "" && !name.startsWith("type "))
      .map((name) => name.replace(/ as .*/, ""));
  });
}

/** The functions of a door, each of which loads what lies behind it when it is called. What is no function cannot be had through a door. */
function doorText(file, type) {
  const functions = functionsOf(file).map((name) => `export function ${name}(...given) { return load().${name}(...given); }`);
  return `const load = () => require("./${doors.get(file)}.${type}");\n${functions.join("\n")}\n`;
}

const functionsOf = (file) => [...readFileSync(file, "utf8").matchAll(/^export (?:async )?function (\w+)/gm)].map((match) => match[1]);

/**
 * Builds them all into `folder`, each before those that it is loaded after, since these owe it exports; gives what esbuild says of each. `options`: esbuild's;
 * its format decides the file type: `esm` for a bundler that comes after (bun-build.mjs), which sees static imports, and a `require` that it can follow.
 */
export async function buildLazyBundles(folder, { plugins = [], ...options }) {
  const type = options.format === "esm" ? "mjs" : "cjs";
  const ledger = openLedger();
  const names = Object.keys(lazyBundles);
  const buildOne = (name, extra) =>
    build({
      ...options,
      stdin: {
        contents: lazyBundles[name].doors.map((door) => `export * from "./src/${door}";\n`).join("") + ledger.textOf(name),
        resolveDir: root,
        loader: "ts",
      },
      outfile: `${folder}/${name}.${type}`,
      inject: lazyBundles[name].inject ?? [],
      plugins: [...plugins, lazyDoors(name, ledger, type)],
      ...extra,
    });
  const waitedFor = [...new Set(names.flatMap(before))].sort((a, b) => before(a).length - before(b).length);
  for (const name of waitedFor) {
    const { metafile } = await buildOne(name, { write: false });
    for (const input of Object.keys(metafile.inputs)) if (input.startsWith("src/")) ledger.owners.set(resolve(root, input), name);
  }
  const built = await Promise.all(names.filter((name) => !waitedFor.includes(name)).map((name) => buildOne(name)));
  for (const name of waitedFor.toReversed()) built.push(await buildOne(name));
  return built;
}
