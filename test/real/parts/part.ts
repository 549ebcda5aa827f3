import { execFileSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../../programs.ts";

/** A program of somebody else that a test of this ring needs. One file of this folder each, listed in catalogue.ts; versions in versions.ts. */
export interface Part {
  readonly name: string;
  /** Which one is made; one that is found says its own. */
  readonly version: string;
  /** Its file (or folder) in the folder of this part, made by `make`. */
  readonly file: string;
  /** What it has to be; a program, a file that may be executed, when not given. */
  readonly kind?: "file" | { readonly folderWith: string };
  /** One that is found and older, or does not say its version, is not taken: the tests need what this one brought. */
  readonly atLeast?: string;
  /** Environment variables that name the file, or a folder that holds one of this name. */
  readonly variables: readonly string[];
  /** Folders where it is looked for besides. */
  readonly folders?: readonly string[];
  /** Names on the PATH that will do; none: a chance version proves nothing here. */
  readonly onPath: readonly string[];
  /** Arguments that make it print its version. Undefined: it cannot be asked. */
  readonly versionArgs?: readonly string[];
  /** The same of what is no program: reads it from the files. */
  readonly versionIn?: (path: string) => string | undefined;
  readonly making?: Making;
}

export interface Making {
  /** Programs on the PATH without which it cannot be made. */
  readonly needs: readonly string[];
  /** On two cores that do nothing else, from nothing: what decides whether the gate makes it. */
  readonly minutes: number;
  /** Fills an empty folder, which then becomes the part's. Rejects with a reason for people. */
  into(folder: string, version: string): Promise<void>;
}

export interface Found {
  readonly name: string;
  readonly path: string;
  readonly version: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Where made parts are kept: `$KUBECTL_OIDC_PARTS`, or a folder of the user's cache. */
export function partsFolder(env: Environment = process.env): string {
  const chosen = env["KUBECTL_OIDC_PARTS"];
  if (chosen !== undefined && chosen !== "") return chosen;
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "kubectl-oidc-parts");
}

/** The folder of one part in one version. It is there only when it is whole. */
export const partFolder = (part: Part, env?: Environment) => join(partsFolder(env), part.name, part.version);

/** Its variable first, then what was made, then the PATH; the first that is new enough. Undefined: not there. */
export function findPart(part: Part, env: Environment = process.env): Found | undefined {
  return firstOf(part, env, (one) => !isTooOld(part, one));
}

/** Each is asked for its version only when those before it would not do. */
function firstOf(part: Part, env: Environment, isWanted: (one: Found) => boolean): Found | undefined {
  const { name, variables, file, folders = [], onPath, kind, version } = part;
  const made = join(partFolder(part, env), file);
  const onItsPath = findProgram(...onPath);
  const places = [
    ...variables.flatMap((variable) => placesOf(env[variable], file)),
    made,
    ...folders.map((folder) => join(folder, file)),
    ...(onItsPath === undefined ? [] : [onItsPath]),
  ];
  for (const path of places.filter((one) => isOfKind(one, kind))) {
    const one = { name, path, version: path === made ? version : versionOf(part, path) };
    if (isWanted(one)) return one;
  }
  return undefined;
}

/** A variable may name the file, or a folder as KUBEBUILDER_ASSETS does. */
const placesOf = (value: string | undefined, file: string) => (value === undefined || value === "" ? [] : [join(value, file), value]);

/** A folder of a program's name is no program, and neither is KUBEBUILDER_ASSETS without one. */
function isOfKind(path: string, kind: Part["kind"]): boolean {
  if (typeof kind === "object") return isOfKind(join(path, kind.folderWith), "file");
  try {
    if (kind === undefined) accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isTooOld({ atLeast }: Part, { version }: Found): boolean {
  if (atLeast === undefined) return false;
  const [own, least] = [numbersOf(version), numbersOf(atLeast)];
  if (own.length === 0) return true;
  const differs = least.findIndex((number, i) => (own[i] ?? 0) !== number);
  return differs !== -1 && (own[differs] ?? 0) < (least[differs] ?? 0);
}

/** `v1.34.2-eks`: 1, 34, 2. */
const numbersOf = (version: string) => (/\d+(?:\.\d+)*/.exec(version)?.[0] ?? "").split(".").filter(Boolean).map(Number);

const unknown = "of unknown version";

function versionOf({ versionArgs, versionIn }: Part, path: string): string {
  if (versionArgs === undefined) return versionIn?.(path) ?? unknown;
  try {
    const text = execFileSync(path, [...versionArgs], { encoding: "utf8", timeout: 20_000, stdio: ["ignore", "pipe", "ignore"] });
    return /v?\d+\.\d+(\.\d+)?[\w.+-]*/.exec(text)?.[0] ?? unknown;
  } catch {
    return unknown;
  }
}

/** Why a part that is missing is missing, and what would bring it. */
export function absence(part: Part, env: Environment = process.env): string {
  const { variables, onPath, making, atLeast } = part;
  const old = firstOf(part, env, (one) => isTooOld(part, one));
  const there = old === undefined ? "" : `${old.path} is ${old.version === unknown ? unknown : `too old (${old.version})`}, ${atLeast} or newer is needed; `;
  const named = variables.map((name) => `$${name}`);
  const places = [...named, ...(onPath.length > 0 ? ["the PATH"] : []), "the cache"].join(", ");
  const lacking = (making?.needs ?? []).filter((name) => findProgram(name) === undefined);
  if (making === undefined) return `${there}not in ${places}`;
  return lacking.length > 0
    ? `${there}not in ${places}; to build it, ${lacking.join(" and ")} must be on the PATH`
    : `${there}not in ${places}; npm run test:cluster -- --build makes it (about ${making.minutes} min)`;
}
