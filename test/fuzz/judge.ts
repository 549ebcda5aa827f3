import { isOidcError } from "../../src/errors/oidc-error.ts";
import { terminalLines } from "../../src/errors/render.ts";
import { harmIn } from "../fakes/hostile-texts.ts";
import type { Mutated } from "./mutate-bytes.ts";
import { Broken, type Subject, type Target } from "./target.ts";

/** No input takes longer, on a machine that does other things too. Milliseconds. */
export const longestRun = 3_000;

/** A promise settles by then. Milliseconds. */
const longestPromise = 5_000;

/** Most bytes outside of the JavaScript heap; the heap has a limit of its own. */
const mostExternal = 268_435_456;

/** A piece of a secret of this length is one too. Characters. */
const secretPiece = 12;

/**
 * Runs one input and gives what is wrong with what came of it; undefined when all is well. Wrong is: an exception that is not one of our
 * named errors, an error or a line that a terminal would obey or that holds a secret, a result or a prototype that somebody else changed, a
 * promise that does not settle.
 */
export async function judge(target: Pick<Target, "secrets">, subject: Subject, { bytes, moved }: Mutated): Promise<string | undefined> {
  const before = prototypes();
  const said: string[] = [];
  let fault: string | undefined;
  try {
    const result = await settled(subject.run(Buffer.from(bytes), (line) => said.push(line)));
    fault = foreignPrototype(result);
  } catch (error) {
    if (!isOidcError(error) || error.code === "UNEXPECTED") return faultOf(error);
    // As they are, before the terminal's last gate: each text was made safe where it came in.
    for (const line of terminalLines(error)) said.push(line);
  }
  if (prototypes() !== before) return "a prototype was polluted";
  const external = process.memoryUsage().external;
  if (external > mostExternal) return `it holds ${Math.round(external / 1_048_576)} MB outside of the heap`;
  return fault ?? wrongIn(said, moved ? [] : target.secrets);
}

function wrongIn(said: readonly string[], secrets: readonly string[]): string | undefined {
  for (const line of said) {
    const harm = harmIn(line);
    if (harm.length > 0 || line.includes("\n")) return `a line holds ${line.includes("\n") ? "a line break" : harm.join(", ")}: ${JSON.stringify(line.slice(0, 200))}`;
    if (line.length > 20_000) return "a line has no end";
    for (const secret of secrets) if (holdsPiece(line, secret)) return `a line tells a secret: ${JSON.stringify(line.slice(0, 200))}`;
  }
  return undefined;
}

function holdsPiece(line: string, secret: string): boolean {
  for (let at = 0; at + secretPiece <= secret.length; at++) if (line.includes(secret.slice(at, at + secretPiece))) return true;
  return false;
}

async function settled(result: unknown): Promise<unknown> {
  if (!(result instanceof Promise)) return result;
  let timer: NodeJS.Timeout | undefined;
  const never = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Broken("its promise does not settle")), longestPromise);
  });
  try {
    return await Promise.race([result, never]);
  } finally {
    clearTimeout(timer);
  }
}

/** The kind of the fault and its place; the minimiser goes by it, so it holds no part of the input. */
function faultOf(error: unknown): string {
  if (error instanceof Broken) return error.message;
  if (!(error instanceof Error)) return `threw ${typeof error}`;
  if (isOidcError(error)) return "ended with UNEXPECTED";
  const frame = /at (?:async )?([\w.$<>]+) \(/.exec(error.stack ?? "")?.[1] ?? "?";
  return `threw ${error.name}: ${error.message.slice(0, 100)} in ${frame}`;
}

/** What everything inherits from, as one text. */
function prototypes(): string {
  return [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype, URLSearchParams.prototype]
    .map((one) => Reflect.ownKeys(one).map(String).join())
    .join(";");
}

const ownPrototypes = new Set<unknown>([
  null,
  Object.prototype,
  Array.prototype,
  Map.prototype,
  Set.prototype,
  Buffer.prototype,
  Uint8Array.prototype,
  URLSearchParams.prototype,
  URL.prototype,
]);

/** A parser's result whose prototype came with the input: `{"__proto__": …}` that was assigned instead of defined. */
function foreignPrototype(value: unknown, depth = 0): string | undefined {
  if (typeof value !== "object" || value === null || depth > 6) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Classes of libraries have methods; a planted prototype is plain data.
  if (!ownPrototypes.has(prototype) && typeof Object.getOwnPropertyDescriptor(prototype, "constructor")?.value !== "function")
    return "a result has a prototype that came with the input";
  for (const inner of Array.isArray(value) ? value.slice(0, 50) : Object.values(value).slice(0, 50)) {
    const fault = foreignPrototype(inner, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
