import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Document, isMap, isSeq, parseDocument } from "yaml";
import { kubercAllowlist } from "../core/kuberc.ts";
import { fail } from "../errors/oidc-error.ts";
import { readConfigFile } from "./config-file.ts";
import { parseConfig } from "./config-text.ts";
import { writeDurably } from "./durable-file.ts";
import type { Places } from "./paths.ts";
import { makeFolder } from "./folders.ts";

/** What the person uses, and nothing else may be used from then on. */
export interface Pins {
  readonly issuers: readonly string[];
  readonly clientIds: readonly string[];
  /** Values of options that strict would refuse, and that the person's own stanza has. */
  readonly options?: Readonly<Record<string, readonly string[]>>;
}

/** What `setup --harden` shows before it asks, and writes after. */
export interface Hardening {
  /** The configuration file in the home of the user database: no variable of a kubeconfig moves it. */
  readonly file: string;
  /** Its new text: what was there, with `strict: true` and the pins. */
  readonly text: string;
  /** False when the file says all of this already. */
  readonly changes: boolean;
  /** The entry that lets kubectl run this program and no other plugin. */
  readonly kuberc: ReturnType<typeof kubercAllowlist>;
}

/**
 * Plans the hardened mode (cli.md M10): `strict`, with the issuers and clients in `allow:`, so that a kubeconfig can bring no other.
 * `program` is the absolute path that the kubeconfigs name. SETTINGS_INVALID for a file that cannot be read as configuration; its codes.
 */
export function planHardening(where: Places, pins: Pins, program: string): Hardening {
  const file = join(where.fixed?.config ?? where.config, "config.yaml");
  // Owner, mode and content are judged as at every use.
  const before = readConfigFile(file) === undefined ? "" : readFileSync(file, "utf8");
  const text = hardened(before, pins);
  parseConfig(text, file);
  return { file, text, changes: text !== before, kuberc: kubercAllowlist(program) };
}

/** Writes the plan: whole or not at all, 0600; through a link (people keep such files elsewhere) to where it points. STORE_UNSAFE, STORE_UNWRITABLE. */
export function applyHardening({ file, text }: Hardening): void {
  const target = existsSync(file) ? realpathSync(file) : file;
  try {
    if (target === file) makeFolder(dirname(file));
    writeDurably(target, text);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    // STORE_UNSAFE of ours, or Node's own.
    if (/^STORE_/.test(code)) throw error;
    fail("STORE_UNWRITABLE", { message: `${target} cannot be written`, reason: code });
  }
}

/** Comments and order stay as they are. */
function hardened(before: string, pins: Pins): string {
  const document: Document = parseDocument(before);
  // Nothing, or comments alone.
  if (document.contents === null) return hardened(`${before}${before === "" || before.endsWith("\n") ? "" : "\n"}strict: true\n`, pins) || before;
  const isStrict = document.get("strict") === true;
  if (!isStrict) document.set("strict", true);
  const added = [
    addTo(document, "oidc-issuer-url", pins.issuers),
    addTo(document, "oidc-client-id", pins.clientIds),
    ...Object.entries(pins.options ?? {}).map(([name, values]) => addTo(document, name, values)),
  ];
  return isStrict && !added.includes(true) ? before : document.toString({ lineWidth: 0 });
}

/** Adds what the list lacks; true when it lacked something. */
function addTo(document: Document, option: string, values: readonly string[]): boolean {
  const known = document.getIn(["allow", option]);
  const listed: readonly unknown[] = isSeq(known) ? known.toJSON() : known === undefined ? [] : [known];
  const missing = values.filter((value) => !listed.includes(value));
  if (missing.length === 0) return false;
  if (!isMap(document.get("allow"))) document.set("allow", document.createNode({}));
  document.setIn(["allow", option], document.createNode([...listed, ...missing]));
  return true;
}
