import { parseBoolean, parsePairs, splitList } from "./option-values.ts";
import { sha256HexOfBytes } from "./sha256.ts";
import { lastValue, type StanzaWord } from "./stanza-words.ts";

type Value = string | number | boolean | readonly string[] | ReadonlyMap<string, string>;
type Fields = readonly (readonly [name: string, value: Value])[];

/** Most orders of a map's entries that are tried: Go writes a map in any order, so that one stanza has several names (kubelogin's issue 1638). */
const mostOrders = 24;
/** Of all args: Linux takes 128 KiB of one. Characters. */
const longest = 262_144;

/**
 * The names that kubelogin's cache has for the session of this stanza: the SHA-256 of a Go gob of what its args say. A file of such a name was
 * made with these very certificate authorities, headers and checks, which is nowhere else to be read. One name for each form that the key
 * had since v1.31 (pkg/tokencache, pkg/oidc); none when the args hold what cannot be told. `expand`: `~` in a path.
 */
export function kubeloginNames(words: readonly StanzaWord[], expand: (path: string) => string): readonly string[] {
  const all = (name: string) => words.flatMap((word) => (word.name === name && word.value !== undefined ? [word.value] : []));
  const text = (name: string) => lastValue(words, name) ?? "";
  const isOn = (name: string) => {
    const last = words.findLast((word) => word.name === name);
    const parsed = last === undefined ? undefined : parseBoolean(last.value ?? "true");
    return parsed?.ok === true && parsed.value;
  };
  if (words.reduce((sum, word) => sum + (word.value?.length ?? 0), 0) > longest) return [];
  const files = all("certificate-authority");
  // One that depends on the working folder is another file elsewhere.
  if (files.some((path) => !/^(\/|~|[A-Za-z]:[\\/])/.test(path))) return [];
  const headers = mapsOf(all("oidc-request-header"));
  const isPassword = text("grant-type") === "password" || (["", "auto"].includes(text("grant-type")) && text("username") !== "");
  const params = mapsOf(isPassword || text("grant-type") === "device-code" ? [] : all("oidc-auth-request-extra-params"));
  if (headers === undefined || params === undefined || headers.length * params.length > mostOrders) return [];

  const usesPkce = isOn("oidc-use-pkce") || text("oidc-pkce-method") === "S256";
  const method: Fields[number] = ["PKCEMethod", usesPkce ? 2 : text("oidc-pkce-method") === "no" ? 1 : 0];
  const client: Fields = [
    ["IssuerURL", text("oidc-issuer-url")],
    ["ClientID", text("oidc-client-id")],
    ["ClientSecret", text("oidc-client-secret")],
    ["ExtraScopes", splitList(all("oidc-extra-scope"))],
  ];
  const redirect: Fields[number] = ["RedirectURL", text("oidc-redirect-url")];
  const access: Fields[number] = ["UseAccessToken", isOn("oidc-use-access-token")];
  const config: Fields = [
    ["CACertFilename", files.map(expand)],
    ["CACertData", all("certificate-authority-data")],
    ["SkipTLSVerify", isOn("insecure-skip-tls-verify")],
    ["Renegotiation", isOn("tls-renegotiation-once") ? 1 : isOn("tls-renegotiation-freely") ? 2 : 0],
  ];
  const username = isPassword ? text("username") : "";
  const keys = [
    ...headers.flatMap((header) => {
      const provider: Fields = [...client, redirect, method, access, ["RequestHeaders", header]];
      return [...params.map((param) => gobOfKey(provider, config, username, param)), gobOfKey(provider, config, username)];
    }),
    // Those forms know no header, and must not vouch for one.
    ...(headers.some((header) => header.size > 0)
      ? []
      : [
          gobOfKey([...client, redirect, method, access], config, username),
          gobOfKey([...client, method, access], config, username),
          gobOfKey([...client, ["UsePKCE", usesPkce], access], config, username),
        ]),
  ];
  return [...new Set(keys.map(sha256HexOfBytes))];
}

/** Every order of the pairs; undefined when they cannot be read, or have too many. */
function mapsOf(texts: readonly string[]): readonly ReadonlyMap<string, string>[] | undefined {
  const pairs = parsePairs(texts.filter((text) => text !== ""));
  if (!pairs.ok || Object.keys(pairs.value).length > 4) return undefined;
  return ordersOf(Object.entries(pairs.value)).map((entries) => new Map(entries));
}

function ordersOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  return items.length < 2 ? [items] : items.flatMap((item, at) => ordersOf(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}

/** What encoding/gob writes for the key: each type once, in the order in which they are met, numbered from 64; then the value. */
function gobOfKey(provider: Fields, config: Fields, username: string, params?: ReadonlyMap<string, string>): Uint8Array {
  const hasMap = provider.some(([, value]) => value instanceof Map);
  const ids = { key: 64, provider: 65, list: 66, map: 67, config: hasMap ? 68 : 67 };
  const idOf = (value: Value) => (typeof value === "boolean" ? 1 : typeof value === "number" ? 2 : typeof value === "string" ? 6 : value instanceof Map ? ids.map : ids.list);
  const typesOf = (fields: Fields) => fields.map(([name, value]) => [name, idOf(value)] as const);
  const types = [
    structType("Key", ids.key, [
      ["Provider", ids.provider],
      ["TLSClientConfig", ids.config],
      ["Username", 6],
      ...(params === undefined ? [] : [["AuthRequestExtraParams", ids.map] as const]),
    ]),
    structType("Provider", ids.provider, typesOf(provider)),
    [...int(-ids.list), 2, ...common("[]string", ids.list), 1, ...int(6), 0, 0],
    ...(hasMap ? [[...int(-ids.map), 4, ...common("map[string]string", ids.map), 1, ...int(6), 1, ...int(6), 0, 0]] : []),
    structType("Config", ids.config, typesOf(config)),
  ];
  const rest: Fields = [["Username", username], ...(params === undefined ? [] : [["AuthRequestExtraParams", params] as const])];
  const value = [...int(ids.key), 1, ...structValue(provider), 1, ...structValue(config), ...structValue(rest)];
  return Uint8Array.from([...types, value].flatMap((message) => [...uint(message.length), ...message]));
}

const structType = (name: string, id: number, fields: readonly (readonly [name: string, type: number])[]): readonly number[] => [
  ...int(-id),
  3,
  ...common(name, id),
  1,
  ...uint(fields.length),
  ...fields.flatMap(([field, type]) => [1, ...stringBytes(field), 1, ...int(type), 0]),
  0,
  0,
];

const common = (name: string, id: number): readonly number[] => [1, 1, ...stringBytes(name), 1, ...int(id), 0];

/** Fields by their distance to the one before; those that are empty are left out. */
function structValue(fields: Fields): readonly number[] {
  const said = fields.flatMap(([, value], at) => {
    const bytes = encodedValue(value);
    return bytes === undefined ? [] : [{ at, bytes }];
  });
  return [...said.flatMap(({ at, bytes }, i) => [at - (said[i - 1]?.at ?? -1), ...bytes]), 0];
}

function encodedValue(value: Value): readonly number[] | undefined {
  if (value === "" || value === 0 || value === false) return undefined;
  if (value === true) return [1];
  if (typeof value === "number") return int(value);
  if (typeof value === "string") return stringBytes(value);
  const items = value instanceof Map ? [...value].flat() : [...(value as readonly string[])];
  return items.length === 0 ? undefined : [...uint(value instanceof Map ? value.size : items.length), ...items.flatMap(stringBytes)];
}

const stringBytes = (text: string): readonly number[] => {
  const bytes = new TextEncoder().encode(text);
  return [...uint(bytes.length), ...bytes];
};

const int = (value: number): readonly number[] => uint(value < 0 ? (-value - 1) * 2 + 1 : value * 2);

/** Below 128 in one byte; else the count of bytes, negated, and the bytes, the highest first. */
function uint(value: number): readonly number[] {
  if (value < 128) return [value];
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [256 - bytes.length, ...bytes];
}
