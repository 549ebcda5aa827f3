import { ignoredFlags, optionRow } from "./flag-table.ts";

/** One option of a stanza's args, with the words that it is made of, so that it can stay as it is written. */
export interface StanzaWord {
  /** Without dashes; undefined for a word that is no option. */
  readonly name: string | undefined;
  /** Undefined for an option without one. */
  readonly value: string | undefined;
  readonly words: readonly string[];
}

/** Does the option take the next word? As pflag: one of a known flag that is no boolean. */
export type TakesValue = (name: string) => boolean;

/** kubelogin's options, klog's among them. */
export const kubeloginTakesValue: TakesValue = (name) => {
  const row = optionRow(name);
  return row === undefined ? name === "v" || (Object.hasOwn(ignoredFlags, name) && ignoredFlags[name] === true) : row.kind !== "boolean";
};

/** The args in order, as pflag reads them: `--name=value`, `--name value`, `-nvalue`; behind `--` nothing is an option. `short`: letter → name. */
export function stanzaWords(args: readonly string[], takesValue: TakesValue, short: Readonly<Record<string, string>> = { v: "v" }): readonly StanzaWord[] {
  const found: StanzaWord[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (word === "--") return [...found, ...args.slice(i).map((rest) => ({ name: undefined, value: undefined, words: [rest] }))];
    const [, long, withValue, letter, rest] = /^--([^=]+)(?:=([\s\S]*))?$|^-([A-Za-z])([\s\S]*)$/.exec(word) ?? [];
    const name = long ?? (letter !== undefined && Object.hasOwn(short, letter) ? short[letter] : undefined);
    if (name === undefined) {
      found.push({ name: undefined, value: undefined, words: [word] });
      continue;
    }
    const own = long === undefined ? (rest === "" ? undefined : rest?.replace(/^=/, "")) : withValue;
    const next = own === undefined && takesValue(name) && i + 1 < args.length ? args[++i] : undefined;
    found.push({ name, value: own ?? next, words: next === undefined ? [word] : [word, next] });
  }
  return found;
}

/** The last value of an option: what counts for one that takes a single one. */
export const lastValue = (words: readonly StanzaWord[], name: string): string | undefined => words.findLast((word) => word.name === name)?.value;
