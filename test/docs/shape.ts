import type { Field, FieldKind, JsonShape } from "../../docs/generate/json-shapes.ts";

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);

const holds: Readonly<Record<FieldKind, (value: unknown) => boolean>> = {
  text: (value) => typeof value === "string",
  time: (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value),
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  texts: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
  object: isObject,
  open: isObject,
  list: (value) => Array.isArray(value) && value.every(isObject),
};

/** Where a value differs from its documented shape: a field that is not documented, that is missing, or that holds something else. */
export function differences(value: unknown, { fields }: JsonShape): readonly string[] {
  return isObject(value) ? ofObject(value, "", fields) : ["it is no object"];
}

/** `prefix` ends with a dot, or is empty. */
function ofObject(value: Readonly<Record<string, unknown>>, prefix: string, fields: readonly Field[]): readonly string[] {
  const own = fields.filter(({ path }) => path.startsWith(prefix) && !path.slice(prefix.length).includes("."));
  const unknown = Object.keys(value).filter((key) => !own.some(({ path }) => path === `${prefix}${key}`));
  return [...unknown.map((key) => `${prefix}${key} is not documented`), ...own.flatMap((field) => ofField(value[field.path.slice(prefix.length)], field, fields))];
}

function ofField(value: unknown, field: Field, fields: readonly Field[]): readonly string[] {
  const { path, kind } = field;
  if (value === undefined) return field.optional === true ? [] : [`${path} is missing`];
  if (value === null) return field.nullable === true ? [] : [`${path} is null`];
  if (!holds[kind](value)) return [`${path} is not of the kind ${kind}`];
  if (kind === "object" && isObject(value)) return ofObject(value, `${path}.`, fields);
  if (kind === "list" && Array.isArray(value)) return value.flatMap((item: Readonly<Record<string, unknown>>) => ofObject(item, `${path}[].`, fields));
  return [];
}
