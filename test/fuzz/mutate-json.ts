import { pick } from "../random.ts";
import { type Mutated, tokens } from "./mutate-bytes.ts";

/** JSON as a tree that can say what JSON.stringify never does: a key twice, `__proto__`, numbers beyond doubles. */
type Node =
  | { readonly kind: "object"; readonly entries: { key: string; value: Node }[] }
  | { readonly kind: "list"; readonly items: Node[] }
  /** A value as it is written. */
  | { readonly kind: "raw"; readonly text: string };

/** Deeper texts are changed as bytes only. */
const deepest = 100;

/** Throws for what is nested too deeply. */
function nodeOf(value: unknown, depth = 0): Node {
  if (depth > deepest) throw new RangeError("too deep");
  if (Array.isArray(value)) return { kind: "list", items: value.map((item) => nodeOf(item, depth + 1)) };
  if (typeof value === "object" && value !== null) return { kind: "object", entries: Object.entries(value).map(([key, inner]) => ({ key, value: nodeOf(inner, depth + 1) })) };
  return { kind: "raw", text: JSON.stringify(value) };
}

function textOf(node: Node): string {
  switch (node.kind) {
    case "object":
      return `{${node.entries.map(({ key, value }) => `${JSON.stringify(key)}:${textOf(value)}`).join(",")}}`;
    case "list":
      return `[${node.items.map(textOf).join(",")}]`;
    case "raw":
      return node.text;
  }
}

/** A place in the tree that can be read and replaced. */
interface Place {
  readonly value: Node;
  set(value: Node): void;
}

function placesIn(root: { value: Node }): readonly Place[] {
  const found: Place[] = [];
  const visit = (value: Node, set: (value: Node) => void) => {
    found.push({ value, set });
    if (value.kind === "list")
      for (const [i, item] of value.items.entries())
        visit(item, (changed) => {
          value.items[i] = changed;
        });
    if (value.kind === "object")
      for (const entry of value.entries)
        visit(entry.value, (changed) => {
          entry.value = changed;
        });
  };
  visit(root.value, (changed) => {
    root.value = changed;
  });
  return found;
}

const numbers = ["0", "-0", "-1", "1", "1.5", "1e308", "1e999", "-1e999", "2147483648", "4294967296", "9007199254740993", "99999999999999999999", "1e-400", "253402300800"];

/** A value of any type that is of interest by itself. */
function strange(random: () => number): Node {
  const raw = (text: string): Node => ({ kind: "raw", text });
  switch (Math.floor(random() * 9)) {
    case 0:
      return raw(pick(random, numbers));
    case 1:
      return raw(pick(random, ["true", "false", "null"]));
    case 2:
      return raw('""');
    case 3:
      return raw(JSON.stringify(pick(random, tokens).repeat(Math.floor(random() ** 3 * 400) + 1)));
    case 4:
      return raw(pick(random, ["{}", "[]", "[[]]", '[""]', "[null]"]));
    // What a naive String() of a value would call, or join.
    case 5:
      return raw(`{"toString":${pick(random, numbers)},"valueOf":null,"length":3}`);
    case 6: {
      const depth = Math.floor(random() ** 3 * 20_000) + 1;
      return random() < 0.5 ? raw("[".repeat(depth) + "]".repeat(depth)) : raw(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);
    }
    case 7:
      return raw(`{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}`);
    default:
      return raw(JSON.stringify(pick(random, tokens)));
  }
}

/** One change of the structure; undefined when the text is not JSON, or nested too deeply. */
export function mutateJson(random: () => number, text: string): Mutated | undefined {
  let root: { value: Node };
  try {
    root = { value: nodeOf(JSON.parse(text)) };
  } catch {
    return undefined;
  }
  const moved = change(random, placesIn(root));
  return { bytes: Buffer.from(textOf(root.value)), moved };
}

/** Changes the tree; gives whether a value stands elsewhere now. */
function change(random: () => number, places: readonly Place[]): boolean {
  const place = pick(random, places);
  const objects = places.flatMap(({ value }) => (value.kind === "object" ? [value] : []));
  const object = objects.length === 0 ? undefined : pick(random, objects);
  switch (Math.floor(random() * 9)) {
    case 0:
    case 1:
    case 2:
      place.set(strange(random));
      return false;
    case 3:
      object?.entries.splice(Math.floor(random() * object.entries.length), 1);
      return false;
    case 4:
      object?.entries.push({ key: pick(random, ["__proto__", "constructor", "toString", "", "a".repeat(5_000), "\u001b[2J"]), value: strange(random) });
      return false;
    case 5: {
      // The same key again: the last one counts.
      const entry = object?.entries[Math.floor(random() * object.entries.length)];
      if (entry !== undefined) object?.entries.push({ key: entry.key, value: strange(random) });
      return false;
    }
    case 6: {
      const entry = object?.entries[Math.floor(random() * object.entries.length)];
      if (entry !== undefined) entry.key = random() < 0.5 ? pick(random, tokens) : (pick(random, object?.entries ?? []).key ?? "");
      return true;
    }
    case 7: {
      const other = pick(random, places);
      place.set({ kind: "raw", text: textOf(other.value) });
      return true;
    }
    default:
      place.set({ kind: "list", items: [place.value, place.value] });
      return false;
  }
}
