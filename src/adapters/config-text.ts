import { isMap, isScalar } from "yaml";
import { optionRow, optionTable } from "../core/flag-table.ts";
import { nearest } from "../core/nearest.ts";
import { nearestOption } from "../core/option-names.ts";
import { isOptionName, type RawOptions } from "../core/option-values.ts";
import { isObject } from "../core/session.ts";
import { allowedVariables } from "../core/strict.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import { yamlDocument } from "./yaml-document.ts";

/** A configuration file after checks (cli.md M15). */
export interface ConfigFile {
  readonly path: string;
  readonly strict: boolean;
  readonly allow: Readonly<Record<string, readonly string[]>>;
  readonly defaults: RawOptions;
  readonly profiles: Readonly<Record<string, RawOptions>>;
  readonly audit: boolean;
}

/** Keys are compared each with each other. */
const mostCharacters = 131_072;

/** What may stand at the top of a configuration file. */
export const fileKeys = ["strict", "allow", "defaults", "profiles", "audit"] as const;

/** Names that `allow:` may list values of. */
const allowable: readonly string[] = [...optionTable.map(({ name }) => name), ...allowedVariables];

/** Refuses what the file holds; `near` is the word that was meant, when one is. */
type Refuse = (problem: string, near?: string) => never;

/** The text of a configuration file → its content. SETTINGS_INVALID naming key and line; a value is never quoted. */
export function parseConfig(text: string, path: string): ConfigFile {
  const where = safeText(path);
  const bad: Refuse = (problem, near) =>
    fail("SETTINGS_INVALID", { message: `${where}: ${problem}`, hint: near === undefined ? `correct ${where}` : `did you mean ${near}? correct ${where}` });
  if (text.length > mostCharacters) bad("it is too large");
  const document = yamlDocument(text, {}) ?? bad("it is nested too deeply");
  const fault = document.errors[0];
  if (fault !== undefined) bad(`it is not valid YAML (line ${text.slice(0, fault.pos[0]).split("\n").length})`);
  if (document.contents !== null && !isMap(document.contents) && !(isScalar(document.contents) && document.contents.value === null)) bad("it is not a map");
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch {
    return bad("it cannot be expanded");
  }
  if (!isObject(value)) return bad("it is not a map");
  for (const key of Object.keys(value)) if (!fileKeys.some((known) => known === key)) bad(`unknown key ${safeText(key, 60)}`, nearestKey(key));
  const flag = (key: string) => (value[key] === undefined || typeof value[key] === "boolean" ? value[key] === true : bad(`${key} must be true or false`));
  const section = (key: string) => {
    const found = value[key] ?? {};
    return isObject(found) ? found : bad(`${key} must be a map`);
  };
  return {
    path,
    strict: flag("strict"),
    audit: flag("audit"),
    allow: allowedValues(section("allow"), (problem, near) => bad(`allow: ${problem}`, near)),
    defaults: optionsOf(section("defaults"), (problem, near) => bad(`defaults: ${problem}`, near)),
    profiles: Object.fromEntries(
      Object.entries(section("profiles")).map(([name, options]) => [
        name,
        isObject(options) ? optionsOf(options, (problem, near) => bad(`profile ${safeText(name, 60)}: ${problem}`, near)) : bad(`profile ${safeText(name, 60)} must be a map`),
      ]),
    ),
  };
}

/** `profile` → `profiles`; an option at the top belongs below `defaults`. */
function nearestKey(key: string): string | undefined {
  const lower = key.toLowerCase();
  return fileKeys.find((known) => known === lower) ?? nearest(lower, fileKeys) ?? (isOptionName(key) && key !== "profile" ? `defaults: with ${key} below it` : undefined);
}

/** A name that nothing knows would let nothing through, and its author would believe that it does. */
function allowedValues(map: Readonly<Record<string, unknown>>, bad: Refuse): ConfigFile["allow"] {
  return Object.fromEntries(
    Object.entries(map).map(([name, list]) => {
      if (!allowable.includes(name))
        return bad(`unknown option ${safeText(name, 60)}`, allowedVariables.find((known) => known === name.toUpperCase()) ?? nearestOption(name, allowable));
      return [name, texts(list) ?? bad(`${name} must be a list`)];
    }),
  );
}

/** A map of option names (without dashes) → raw options. `bad` never returns. */
export function optionsOf(map: Readonly<Record<string, unknown>>, bad: Refuse): RawOptions {
  const options: Partial<Record<string, readonly string[]>> = {};
  for (const [name, value] of Object.entries(map)) {
    if (name === "profile") return bad("a profile cannot name a profile", undefined);
    if (!isOptionName(name)) return bad(`unknown option ${safeText(name, 60)}`, nearestOption(name));
    const kind = optionRow(name)?.kind;
    const pairs = kind === "pairs" && isObject(value) ? Object.entries(value).map(([key, text]) => `${key}=${String(text)}`) : undefined;
    options[name] = pairs ?? texts(value) ?? bad(`${name} must be a text or a list of texts`);
  }
  return options;
}

function texts(value: unknown): readonly string[] | undefined {
  const list = Array.isArray(value) ? value : [value];
  return list.every((item) => ["string", "number", "boolean"].includes(typeof item)) ? list.map(String) : undefined;
}
