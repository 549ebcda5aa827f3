import { ignoredFlags, optionRow } from "../core/flag-table.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import { commandFlagTakesValue } from "./command-flags.ts";

/** Flags of every command: `true` takes a value. */
const generalFlags: Readonly<Record<string, boolean>> = { output: true, v: true, help: false };

/**
 * kubelogin's and pflag's syntax → the one form that commander gets, `--name=value` (cli.md M1): `--flag` of a boolean is
 * `--flag=true`; a value is the next argument whatever it looks like; `-v1`, `-v=1`, `--v=1`, `-v 1`; a first argument
 * `oidc-login` and the ignored flags of klog and kubelogin are dropped. FLAG_INVALID for a missing value.
 */
export function normaliseArguments(argv: readonly string[]): readonly string[] {
  const out: string[] = [];
  const given = argv[0] === "oidc-login" ? argv.slice(1) : argv;
  for (let i = 0; i < given.length; i++) {
    const arg = longForm(given[i] ?? "");
    if (arg === "--") return [...out, ...given.slice(i)];
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
      if (value === undefined) return fail("FLAG_INVALID", { message: `--${safeText(name, 60)} needs a value` });
      if (!isIgnored) out.push(`--${name}=${value}`);
    } else if (takesValue === false && at === -1 && optionRow(name) !== undefined) {
      out.push(`--${name}=true`);
    } else if (!isIgnored) {
      out.push(arg);
    }
  }
  return out;
}

/** `-v1`, `-v=1`, `-v` → `--v…`; `-o json`, `-ojson`, `-o=json` → `--output…`. Anything else unchanged. */
function longForm(arg: string): string {
  const match = /^-([vo])(=?)(.*)$/.exec(arg);
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
