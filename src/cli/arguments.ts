import { ignoredFlags, optionRow } from "../core/flag-table.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import { commandFlagTakesValue } from "./command-flags.ts";

/** Flags of every command: `true` takes a value. */
const generalFlags: Readonly<Record<string, boolean>> = { output: true, v: true, help: false };

/**
 * kubelogin's and pflag's syntax → the one form that is read, `--name=value` (cli.md M1): `--flag` of a boolean is
 * `--flag=true`; a value is the next argument whatever it looks like; `-v1`, `-v=1`, `--v=1`, `-v 1`; a first argument
 * `oidc-login` and the ignored flags of klog and kubelogin are dropped; known flags before the command go behind it, as cobra reads
 * them. FLAG_INVALID for a missing value.
 */
export function normaliseArguments(argv: readonly string[]): readonly string[] {
  const out: string[] = [];
  const given = argv[0] === "oidc-login" ? argv.slice(1) : argv;
  for (let i = 0; i < given.length; i++) {
    const arg = longForm(given[i] ?? "");
    if (arg === "--") return commandFirst([...out, ...given.slice(i)]);
    if (!arg.startsWith("--")) {
      out.push(arg);
      continue;
    }
    const at = arg.indexOf("=");
    const name = arg.slice(2, at === -1 ? undefined : at);
    const takesValue = takesAValue(name);
    const isIgnored = Object.hasOwn(ignoredFlags, name);
    if (takesValue === true && at === -1) {
      const value = given[++i];
      if (value === undefined) return fail("FLAG_INVALID", { message: `${shownFlag(`--${name}`)} needs a value` });
      if (!isIgnored) out.push(`--${name}=${value}`);
    } else if (takesValue === false && at === -1 && !isIgnored && name !== "help") {
      out.push(`--${name}=true`);
    } else if (!isIgnored) {
      out.push(arg);
    }
  }
  return commandFirst(out);
}

/** A flag as a person writes it: those of one letter have one dash. */
export function shownFlag(flag: string): string {
  return flag === "--output" ? "-o" : flag === "--v" ? "-v" : safeText(flag, 60);
}

/** The command that a command line names, whatever is wrong with the rest of it. */
export function commandWord(argv: readonly string[]): string | undefined {
  for (let i = argv[0] === "oidc-login" ? 1 : 0; i < argv.length; i++) {
    const arg = longForm(argv[i] ?? "");
    if (!arg.startsWith("-")) return arg;
    if (!arg.includes("=") && takesAValue(arg.slice(2)) === true) i++;
  }
  return undefined;
}

/** Flags that no command has stay where they are, so that they are named and not what follows them. */
function commandFirst(args: readonly string[]): readonly string[] {
  const at = args.findIndex((arg) => !arg.startsWith("-"));
  const before = at === -1 ? args : args.slice(0, at);
  const areKnown = before.every((arg) => arg === "-h" || takesAValue(arg.slice(2).replace(/=.*$/s, "")) !== undefined);
  return at > 0 && areKnown ? [args[at] ?? "", ...before, ...args.slice(at + 1)] : args;
}

/** `-v1`, `-v=1`, `-v` → `--v…`; `-o json`, `-ojson`, `-o=json` → `--output…`. Anything else unchanged. */
function longForm(arg: string): string {
  const match = /^-([vo])(=?)(.*)$/s.exec(arg);
  if (match === null) return arg;
  const name = match[1] === "v" ? "--v" : "--output";
  return match[3] === "" && match[2] === "" ? name : `${name}=${match[3]}`;
}

/** Does the flag take a value? Undefined for an unknown flag. */
function takesAValue(name: string): boolean | undefined {
  const row = optionRow(name);
  if (row !== undefined) return row.kind !== "boolean";
  if (Object.hasOwn(ignoredFlags, name)) return ignoredFlags[name];
  return Object.hasOwn(generalFlags, name) ? generalFlags[name] : commandFlagTakesValue(name);
}
