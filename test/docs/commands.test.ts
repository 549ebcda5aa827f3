import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { readConfigFile } from "../../src/adapters/config-file.ts";
import { readCommandLine } from "../../src/cli/program.ts";
import { ignoredFlags, optionRow } from "../../src/core/flag-table.ts";
import { isObject } from "../../src/core/session.ts";
import { allowedFromCluster, type OptionSource, resolveSettings } from "../../src/core/settings.ts";
import { splitCommand } from "../../src/core/split-command.ts";
import { catalogue } from "../../src/errors/catalogue.ts";
import { isOidcError } from "../../src/errors/oidc-error.ts";
import { type Block, blocksOf, pageNames, proseOf, spansOf } from "./pages.ts";

const pages = pageNames();
const blocks = pages.flatMap(blocksOf);
const where = ({ page, line }: Block) => `${page}:${line}`;

/** What is wrong, as our errors say it; undefined for nothing. */
function faultOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return isOidcError(error) ? `[${error.code}] ${error.message}` : String(error);
  }
}

/** The arguments of each call of ours in a line of a shell: at its beginning, after a prompt, or where a shell begins another command. */
function callsIn(line: string): readonly (readonly string[])[] {
  return [...line.matchAll(/(?:^|[|;(]|&&)\s*(?:\$ )?(?:kubectl oidc|kubectl-oidc)(?= |$)/g)].flatMap((match) => {
    const rest = line.slice(match.index + match[0].length);
    // Up to what the shell takes for itself.
    const end = /^(?:'[^']*'|"[^"]*"|[^'"|;&)>#]|(?<! )#)*/.exec(rest)?.[0] ?? "";
    const words = splitCommand(rest.charAt(end.length) === ">" ? end.replace(/ \d$/, "") : end);
    // Usage, not a command.
    return words === undefined || words.some((word) => word === "…" || /^\[.+\]$/.test(word)) ? [] : [words];
  });
}

const calls = blocks
  .filter(({ language }) => ["", "sh", "bash", "console", "text"].includes(language))
  .flatMap((block) =>
    block.text
      .replaceAll(/\\\n\s*/g, " ")
      .split("\n")
      .flatMap((line) => callsIn(line).map((words) => ({ words, at: where(block) }))),
  );

describe("commands in the documentation", () => {
  it("are found", () => expect(calls.length).toBeGreaterThan(30));
  it.each(calls.map(({ words, at }) => [words.join(" "), at, words] as const))("kubectl oidc %s (%s)", (_, __, words) => {
    expect(faultOf(() => readCommandLine(words))).toBeUndefined();
    const read = readCommandLine(words);
    if (read.kind === "command" && read.options["oidc-issuer-url"] !== undefined) {
      expect(faultOf(() => resolveSettings([{ label: "command line", typed: true, options: read.options }]))).toBeUndefined();
    }
  });
});

/** Every object within a value, itself included. */
function objectsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  return isObject(value) ? [value, ...Object.values(value).flatMap(objectsIn)] : [];
}

const documents = blocks
  .filter(({ language }) => language === "yaml")
  .flatMap((block) => parseAllDocuments(block.text).map((document) => ({ at: where(block), document, objects: document.errors.length === 0 ? objectsIn(document.toJS()) : [] })));

const texts = (value: unknown) => (Array.isArray(value) ? value : [value]).map(String);

/** What the clusters of the block say of the login, as kubectl hands it over. */
function fromClusters(objects: (typeof documents)[number]["objects"]): OptionSource {
  const said = objects.filter(({ name }) => name === "client.authentication.k8s.io/exec").flatMap(({ extension }) => (isObject(extension) ? Object.entries(extension) : []));
  expect(said.map(([name]) => name).filter((name) => !allowedFromCluster(name))).toEqual([]);
  return { label: "cluster", typed: false, options: Object.fromEntries(said.map(([name, value]) => [name, texts(value)])) };
}

describe("YAML in the documentation", () => {
  it("is found", () => expect(documents.length).toBeGreaterThan(10));
  it.each(documents.map((one) => [one.at, one] as const))("%s can be parsed", (_, { document }) => {
    expect(document.errors.map(String)).toEqual([]);
  });
  const stanzas = documents.flatMap((one) => one.objects.filter(({ exec }) => isObject(exec)).map(({ exec }) => [one.at, exec as Record<string, unknown>, one.objects] as const));
  it.each(stanzas)("the exec stanza of %s is one that kubectl takes, and its args are settings", (_, exec, objects) => {
    expect(exec["apiVersion"]).toBe("client.authentication.k8s.io/v1");
    expect(["IfAvailable", "Never"]).toContain(exec["interactiveMode"]);
    expect(exec["provideClusterInfo"]).toBe(true);
    expect(faultOf(() => settingsOf(texts(exec["args"]), fromClusters(objects)))).toBeUndefined();
  });
  const argo = documents.flatMap((one) =>
    one.objects.flatMap(({ config }) => (typeof config === "string" && config.includes("execProviderConfig") ? [[one.at, config] as const] : [])),
  );
  it.each(argo)("the execProviderConfig of %s is JSON, and its args are settings", (_, config) => {
    const { execProviderConfig } = JSON.parse(config) as { readonly execProviderConfig: Record<string, unknown> };
    expect(execProviderConfig["apiVersion"]).toBe("client.authentication.k8s.io/v1");
    expect(faultOf(() => settingsOf(texts(execProviderConfig["args"])))).toBeUndefined();
  });
  const authentications = documents.flatMap((one) => one.objects.filter(({ kind }) => kind === "AuthenticationConfiguration").map((object) => [one.at, object] as const));
  it("shows an AuthenticationConfiguration for every issuer", () => expect(authentications.length).toBeGreaterThanOrEqual(8));
  it.each(authentications)("the AuthenticationConfiguration of %s has what the API server demands", (_, { apiVersion, jwt }) => {
    expect(apiVersion).toBe("apiserver.config.k8s.io/v1");
    for (const { issuer, claimMappings } of jwt as readonly { readonly issuer: Record<string, unknown>; readonly claimMappings: Record<string, unknown> }[]) {
      expect(issuer["url"]).toMatch(/^https:\/\/[^?#]+$/);
      expect(texts(issuer["audiences"]).length).toBeGreaterThan(0);
      // With a claim the prefix must be said, be it empty (pkg/apis/apiserver/validation).
      for (const mapping of Object.values(claimMappings)) expect(mapping).toEqual({ claim: expect.any(String), prefix: expect.any(String) });
      expect(Object.keys(claimMappings)).toContain("username");
    }
  });
});

/** The settings of a stanza's args; throws ours. Its first words may be Node and the program, as setup --absolute-path never writes them. */
function settingsOf(args: readonly string[], cluster?: OptionSource) {
  const read = readCommandLine(args.slice(args.indexOf("get-token")));
  if (read.kind !== "command") throw new Error("help");
  // A profile's options lie in a file of the person's.
  return read.options.profile === undefined ? resolveSettings([{ label: "args", typed: false, options: read.options }, ...(cluster === undefined ? [] : [cluster])]) : undefined;
}

describe("configuration files in the documentation", () => {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-docs-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const files = blocks.filter(({ language, text }) => language === "yaml" && /^(strict|allow|defaults|profiles|audit):/m.test(text));
  it("are found", () => expect(files.length).toBeGreaterThan(3));
  it.each(files.map((block, i) => [where(block), block.text, i] as const))("%s can be read", (_, text, i) => {
    const file = join(folder, `config-${i}.yaml`);
    writeFileSync(file, text, { mode: 0o600 });
    expect(faultOf(() => readConfigFile(file, { mustExist: true }))).toBeUndefined();
  });
});

/** Options of other programs that the pages speak of. */
const foreign = new Set(
  (
    "authentication-config oidc-username-claim oidc-username-prefix oidc-groups-claim oidc-groups-prefix oidc-signing-algs token prefix " +
    "require import inspect tls-keylog report- fresh replay rounds interactive exec-arg identity exec- minify flatten bytecode splitting format preload " +
    "ignore-scripts no-git-tag-version sign partial gate nodes record create-cert"
  ).split(" "),
);

/** Does any command take it? Commander's own knowledge, so that a new option needs no list here. */
function isOurs(name: string): boolean {
  if (optionRow(name) !== undefined || Object.hasOwn(ignoredFlags, name)) return true;
  const commands = ["setup", "migrate", "login", "status", "logout", "trust list", "audit", "get-token", "version"];
  return commands.some((command) => !/there is no flag/.test(faultOf(() => readCommandLine([...command.split(" "), `--${name}`])) ?? ""));
}

describe("pages", () => {
  it.each(pages)("%s speaks of options that there are", (page) => {
    const named = spansOf(page).flatMap((span) => [...span.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)].map((match) => match[1] ?? ""));
    expect([...new Set(named)].filter((name) => !foreign.has(name) && !isOurs(name))).toEqual([]);
  });
  // The reference has tests of its own, and speaks of variables too.
  it.each(pages.filter((page) => !page.startsWith("docs/reference/")))("%s speaks of error codes that there are", (page) => {
    const named = (proseOf(page).match(/\b[A-Z]{2,}(?:_[A-Z]+)+\b/g) ?? []).filter((name) => !/^(KUBE|NODE_|BENCH_|XDG_|SSL_|(?:HTTPS?|NO)_PROXY)/.test(name));
    expect([...new Set(named)].filter((code) => !Object.hasOwn(catalogue, code))).toEqual([]);
  });
});
