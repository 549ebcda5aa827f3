import { rfc3339 } from "./exec-credential.ts";
import { decodeJwt } from "./id-token.ts";
import { type CredentialRecord, isObject } from "./session.ts";
import { sha256Hex } from "./sha256.ts";
import { textsOf } from "./token-proof.ts";
import { safeText, shownUrl } from "./untrusted-text.ts";

/**
 * One line of the local audit log: who got or used which token, by which login, for which program. No secret is ever in it: of a token only
 * its `jti`, its times and its audience, or a digest. A newer schema is passed over, never taken for damage.
 */
export const auditSchema = 1;

export const auditEvents = ["login", "refresh", "exchange", "hand-out", "logout", "refusal"] as const;

/** What is said of the session, whatever happened to it. */
export interface AuditSession {
  /** The first 16 hex digits of the session key. */
  readonly session: string;
  /** Ties what came later to the login that it came from; absent when that was made while the log was off. */
  readonly login?: string | undefined;
  /** RFC 3339. When the session was made, for a login whose entry is gone. */
  readonly loginAt?: string | undefined;
  readonly issuer: string;
  readonly clientId: string;
  /** How: `authcode`, `device-code`, `refresh-token`, `token-exchange`, `client-credentials`, `password`; `person` where nothing was asked of the issuer. */
  readonly grant: string;
  readonly account?: string | undefined;
  readonly subject?: string | undefined;
  /** E-mail or user name, for people. */
  readonly name?: string | undefined;
  /** Origin of the API server, when kubectl or a context named it. */
  readonly server?: string | undefined;
}

/** What is said of a token. */
export interface AuditToken {
  readonly tokenKind: "id" | "access";
  /** By which the API server's audit log names it (`authentication.kubernetes.io/credential-id`). */
  readonly jti?: string | undefined;
  /**
   * Of a token without `jti`: 128 bits of its SHA-256. Nobody makes a token of them: a signature or an opaque token holds at least as many random
   * bits (RFC 6749, section 10.10), so the digest cannot be guessed back.
   */
  readonly tokenSha256?: string | undefined;
  readonly audience?: readonly string[] | undefined;
  /** RFC 3339. */
  readonly issuedAt?: string | undefined;
  /** RFC 3339. */
  readonly expiresAt: string;
}

export type AuditTokenEvent = "login" | "refresh" | "exchange" | "hand-out";

/** What happened, before it is known who writes it down. */
export type AuditEvent = AuditSession &
  (
    | ({ readonly event: AuditTokenEvent } & AuditToken)
    | { readonly event: "logout"; readonly revoked: boolean }
    /** `code`: our error code. */
    | { readonly event: "refusal"; readonly code: string }
  );

/** Who wrote it down, and for whom. */
export interface AuditOrigin {
  readonly pid: number;
  readonly parent: { readonly pid: number; readonly name?: string | undefined };
  readonly user: string;
  readonly uid?: number | undefined;
  readonly host: string;
  readonly version: string;
}

export type AuditEntry = { readonly schema: 1 /** RFC 3339. */; readonly time: string } & AuditEvent & AuditOrigin;

/** What an entry says of this token. */
export function auditToken({ token, kind, expiresAt }: Pick<CredentialRecord, "token" | "kind" | "expiresAt">): AuditToken {
  const claims = decodeJwt(token)?.claims ?? {};
  const { jti, iat } = claims;
  const audience = textsOf(claims["aud"]);
  return {
    tokenKind: kind,
    ...(typeof jti === "string" && jti !== "" ? { jti: auditCredentialId(jti) } : { tokenSha256: sha256Hex(token).slice(0, 32) }),
    ...(audience === undefined ? {} : { audience }),
    ...(isTime(iat) ? { issuedAt: rfc3339(iat) } : {}),
    ...(isTime(expiresAt) ? { expiresAt: rfc3339(expiresAt) } : { expiresAt: "" }),
  };
}

/** A `jti` as it stands in an entry; `JTI=…` is the API server's way to write one. */
export const auditCredentialId = (text: string): string => safeText(text.replace(/^JTI=/, ""), longestId);

/** Characters; a UUID has 36. */
const longestId = 200;

const isTime = (value: unknown): value is number => typeof value === "number" && value >= 0 && value < 253_402_300_800;

/** A write of no more than this reaches the file whole, whoever else writes at the same time. Bytes, with the line break. */
export const longestLine = 4_096;

/** Characters that a text of an entry may have, and a list texts: as they are, and where the line would be too long. */
const generous = { text: 255, list: 8 };
const narrow = { text: 60, list: 2 };

/** The entry as one line of the log. Texts are made safe for a terminal and cut; a line is never longer than `longestLine`. */
export function auditLine(entry: AuditEntry): string {
  const line = lineWithin(entry, generous);
  return new TextEncoder().encode(line).length <= longestLine ? line : lineWithin(entry, narrow);
}

function lineWithin(entry: AuditEntry, most: typeof generous): string {
  const safe = (name: string, value: unknown): unknown => {
    // Whoever looks for a token has its whole name.
    if (name === "jti") return safeText(value, longestId);
    if (typeof value === "string") return name === "issuer" || name === "server" ? shownUrl(value, most.text) : safeText(value, most.text);
    if (Array.isArray(value)) return value.slice(0, most.list).map((one) => safe("", one));
    return isObject(value) ? Object.fromEntries(Object.entries(value).map(([inner, one]) => [inner, safe(inner, one)])) : value;
  };
  return `${JSON.stringify(safe("", entry))}\n`;
}

type Kind = "text" | "integer" | "boolean" | "texts";

const ofAll: Readonly<Record<string, Kind>> = {
  time: "text",
  event: "text",
  session: "text",
  issuer: "text",
  clientId: "text",
  grant: "text",
  pid: "integer",
  user: "text",
  host: "text",
  version: "text",
};
const optional: Readonly<Record<string, Kind>> = {
  login: "text",
  loginAt: "text",
  account: "text",
  subject: "text",
  name: "text",
  server: "text",
  jti: "text",
  tokenSha256: "text",
  audience: "texts",
  issuedAt: "text",
  uid: "integer",
};

function isOf(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case "text":
      return typeof value === "string";
    case "integer":
      return Number.isSafeInteger(value);
    case "boolean":
      return typeof value === "boolean";
    case "texts":
      return Array.isArray(value) && value.every((one) => typeof one === "string");
    default:
      return kind satisfies never;
  }
}

/** A line of the log, without its line break. `damaged` for what is none of ours, `newer` for a schema above ours. */
export function parseAuditLine(line: string): AuditEntry | "damaged" | "newer" {
  if (line.length >= longestLine) return "damaged";
  let o: unknown;
  try {
    o = JSON.parse(line);
  } catch {
    return "damaged";
  }
  if (!isObject(o)) return "damaged";
  if (typeof o["schema"] === "number" && o["schema"] > auditSchema) return "newer";
  return isEntry(o) ? o : "damaged";
}

function isEntry(o: Readonly<Record<string, unknown>>): o is Readonly<Record<string, unknown>> & AuditEntry {
  const holds = (fields: Readonly<Record<string, Kind>>, isOptional: boolean) =>
    Object.entries(fields).every(([name, kind]) => (isOptional && o[name] === undefined) || isOf(kind, o[name]));
  const { parent } = o;
  return (
    o["schema"] === auditSchema &&
    holds(ofAll, false) &&
    holds(optional, true) &&
    Number.isFinite(Date.parse(String(o["time"]))) &&
    isObject(parent) &&
    isOf("integer", parent["pid"]) &&
    (parent["name"] === undefined || isOf("text", parent["name"])) &&
    holds(fieldsOf(o["event"]), false)
  );
}

/** What an event has beside the rest; an unknown one lacks a field that nobody writes. */
function fieldsOf(event: unknown): Readonly<Record<string, Kind>> {
  switch (auditEvents.find((known) => known === event)) {
    case "logout":
      return { revoked: "boolean" };
    case "refusal":
      return { code: "text" };
    case undefined:
      return { "": "text" };
    default:
      return { tokenKind: "text", expiresAt: "text" };
  }
}
