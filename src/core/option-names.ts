import { environmentName, optionTable } from "./flag-table.ts";
import { nearest } from "./nearest.ts";

const everyName: readonly string[] = optionTable.map(({ name }) => name);
const shownNames: readonly string[] = optionTable.filter((row) => !("hidden" in row)).map(({ name }) => name);

/** Variables with our prefix that are no option. */
const otherVariables = ["KUBECTL_OIDC_CONFIG"];

const prefix = "KUBECTL_OIDC_";
const knownVariables: readonly string[] = [...everyName.map(environmentName), ...otherVariables];

/**
 * The option that a key of a file means which is none: as it is written on a command line (`--account`), in the environment
 * (`KUBECTL_OIDC_ISSUER_URL`), in a program (`oidc_issuer_url`, `issuerUrl`), without its prefix (`issuer-url`), or misspelt. `among`: the
 * names that may stand there. Undefined when nothing is near.
 */
export function nearestOption(key: string, among: readonly string[] = shownNames): string | undefined {
  const spelt = spellings(key);
  for (const one of spelt) for (const name of [one, `oidc-${one}`]) if (among.includes(name)) return name;
  for (const one of spelt) {
    const near = nearest(one, among) ?? nearest(`oidc-${one}`, among);
    if (near !== undefined) return near;
  }
  return undefined;
}

/** The key as a name on a command line would be; without our variables' prefix too. */
function spellings(key: string): readonly string[] {
  if (key.length > 80) return [];
  const plain = key.replace(/^-+/, "").trim();
  const dashed = (/[a-z]/.test(plain) ? plain.replace(/([a-z])(?=[A-Z])/g, "$1-") : plain).replace(/[_\s.]+/g, "-").toLowerCase();
  return [...new Set([dashed, dashed.replace(/^kubectl-oidc-/, "")])];
}

/** What a variable with our prefix means that no option has; undefined `near`: nothing is near. */
export interface UnknownVariable {
  readonly name: string;
  readonly near: string | undefined;
}

/** The variables of an environment that begin with our prefix and that nobody reads. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): readonly UnknownVariable[] {
  return Object.keys(env)
    .filter((name) => name.toUpperCase().startsWith(prefix) && env[name] !== undefined && !knownVariables.includes(name))
    .sort()
    .map((name) => ({ name, near: nearestVariable(name) }));
}

function nearestVariable(name: string): string | undefined {
  const upper = name.toUpperCase();
  if (knownVariables.includes(upper)) return upper;
  const short = knownVariables.map((known) => known.slice(prefix.length));
  // Letters alone: `ISSUERURL` is `ISSUER_URL`, and `OIDC_ISSUER_URL` has the option's prefix too much.
  const letters = (text: string) => text.replaceAll("_", "").replace(/^OIDC/, "");
  const bare = upper.slice(prefix.length);
  const same = short.find((known) => letters(known) === letters(bare));
  const near = same ?? nearest(bare, short);
  return near === undefined ? undefined : `${prefix}${near}`;
}
