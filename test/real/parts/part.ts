import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
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

/** Its variable first, then what was made, then the PATH. Undefined: not there. */
export function findPart(part: Part, env: Environment = process.env): Found | undefined {
  const named = part.variables.flatMap((name) => candidates(env[name], part.file)).find(existsSync);
  if (named !== undefined) return found(part, named);
  const made = join(partFolder(part, env), part.file);
  if (existsSync(made)) return { name: part.name, path: made, version: part.version };
  const path = (part.folders ?? []).map((folder) => join(folder, part.file)).find(existsSync) ?? findProgram(...part.onPath);
  return path === undefined ? undefined : found(part, path);
}

/** A variable may name the file, or a folder as KUBEBUILDER_ASSETS does. */
const candidates = (value: string | undefined, file: string) => (value === undefined || value === "" ? [] : [join(value, file), value]);

const found = (part: Part, path: string): Found => ({ name: part.name, path, version: versionOf(part, path) });

function versionOf({ versionArgs, versionIn }: Part, path: string): string {
  if (versionArgs === undefined) return versionIn?.(path) ?? "of unknown version";
  try {
    const text = execFileSync(path, [...versionArgs], { encoding: "utf8", timeout: 20_000, stdio: ["ignore", "pipe", "ignore"] });
    return /v?\d+\.\d+(\.\d+)?[\w.+-]*/.exec(text)?.[0] ?? "of unknown version";
  } catch {
    return "of unknown version";
  }
}

/** Why a part that is missing is missing, and what would bring it. */
export function absence({ variables, onPath, making }: Part): string {
  const named = variables.map((name) => `$${name}`);
  const places = [...named, ...(onPath.length > 0 ? ["the PATH"] : []), "the cache"].join(", ");
  const lacking = (making?.needs ?? []).filter((name) => findProgram(name) === undefined);
  if (making === undefined) return `not in ${places}`;
  return lacking.length > 0
    ? `not in ${places}; to build it, ${lacking.join(" and ")} must be on the PATH`
    : `not in ${places}; npm run test:cluster -- --build makes it (about ${making.minutes} min)`;
}
