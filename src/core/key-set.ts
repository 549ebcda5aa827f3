import { isObject } from "./session.ts";

/** Issuers publish a handful of keys; the largest known set has some twenty. */
const mostKeys = 100;

/** Members that only a private or a symmetric key has (RFC 7518, section 6): whoever reads the set could sign. */
const secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/**
 * The keys of a JSON Web Key Set that can prove something: public, asymmetric, of a size that is checked in bounded time. The others are
 * left out, and a token that names one of them finds no key. `too many`: nobody tries, or stores, so many. Undefined: no key set.
 */
export function provingKeys(set: unknown): readonly object[] | "too many" | undefined {
  if (!isObject(set) || !Array.isArray(set["keys"])) return undefined;
  const keys: readonly unknown[] = set["keys"];
  return keys.length > mostKeys ? "too many" : keys.filter(isObject).filter(proves).map(plain);
}

/** The members that are texts, and lists of texts: nothing else says what a key is (RFC 7517, section 4), and the set is stored. */
const plain = (key: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(key).filter(([, value]) => typeof value === "string" || (Array.isArray(value) && value.every((one) => typeof one === "string"))));

function proves(key: Readonly<Record<string, unknown>>): boolean {
  if (secretMembers.some((name) => key[name] !== undefined)) return false;
  if (key["kty"] === "RSA") return hasSoundModulus(key["n"]) && hasSoundExponent(key["e"]);
  return key["kty"] === "EC" || key["kty"] === "OKP";
}

/** 2048 to 16,384 bits: below, signatures are forged (RFC 7518, section 3.3); above, OpenSSL refuses. */
function hasSoundModulus(n: unknown): boolean {
  const size = bytesOf(n)?.length;
  return size !== undefined && size >= 256 && size <= 2048;
}

/** With 1 every text is its own signature; an even number is no exponent; a long one costs time (SP 800-56B: below 2^256). */
function hasSoundExponent(e: unknown): boolean {
  const bytes = bytesOf(e);
  const last = bytes?.at(-1);
  return bytes !== undefined && last !== undefined && bytes.length <= 32 && last % 2 === 1 && !(bytes.length === 1 && last === 1);
}

/** An unsigned big-endian number without its leading zeros (RFC 7518, section 2: Base64urlUInt). */
function bytesOf(text: unknown): Uint8Array | undefined {
  if (typeof text !== "string" || text.length > 8192 || text.length % 4 === 1 || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? undefined : bytes.subarray(first);
}
