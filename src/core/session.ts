/**
 * What is stored for one login, in three places that differ in what they may cost and hold:
 * - the session record (private file, no secret): who, where, how, so that `status` works offline;
 * - the secret item (keychain, helper or private file): refresh token and what must be atomic with it;
 * - the credential record (private file or keychain): one short-lived token, read by the hot path.
 * Each has a schema number. A newer one is refused, never overwritten; a damaged one is `undefined`.
 */
export const sessionSchema = 1;

/** Identity of one login; canonical text in `keys.ts`. */
export interface SessionIdentity {
  readonly issuer: string;
  readonly clientId: string;
  /** Requested scopes as a sorted set, without the automatic ones. */
  readonly scopes: readonly string[];
  readonly account?: string;
  /** `person` for every interactive flow, else the machine grant. */
  readonly grant: string;
  readonly acrValues?: string;
  readonly extraParams: readonly string[];
  /** `keyring`, `helper:NAME`, `disk` or `none`. */
  readonly storage: string;
  /** The store's folder when it was chosen by hand; undefined for the default. */
  readonly directory?: string;
  /** Of a machine that stands on a token of its platform: which identity of which job (core/choose-subject.ts). */
  readonly machine?: string;
}

export interface SessionRecord {
  readonly schema: 1;
  readonly key: string;
  readonly identity: SessionIdentity;
  /** Name of the item in the secret store. */
  readonly itemName: string;
  readonly hasRefreshToken: boolean;
  readonly subject?: string;
  /** E-mail, preferred_username or sub, for people. */
  readonly displayName?: string;
  /** RFC 3339, of the newest short-lived token. */
  readonly tokenExpiresAt?: string;
  readonly loggedInAt: string;
  /** Random; by it the audit log ties what came later to the login. Absent when that was made while the log was off. */
  readonly loginId?: string;
  /** The issuer said that the tokens are bound to a key of ours (RFC 9449). */
  readonly bound?: true;
  /** The issuer refused offline_access; it is not asked for again (cli.md M8). */
  readonly offlineRefused?: true;
}

/** What the TLS trust was at login: a refresh under weaker trust is refused. */
export interface TlsTrust {
  readonly insecure: boolean;
  /** SHA-256 of each certificate authority that was added to the system's, sorted. */
  readonly authorities: readonly string[];
}

/** An API server as the exec info names it. */
export interface TrustedServer {
  readonly origin: string;
  readonly tlsServerName?: string;
  /** SHA-256 of its CA data, `system`, or `insecure`. */
  readonly authority: string;
  readonly proxy?: string;
}

/** What must be known of a login while its answer is not judged, beside the answer itself. */
export interface NewLogin {
  /** Seconds since the epoch, by this computer's clock: when the answer came. */
  readonly at?: number;
  /** Seconds since the epoch: the person must have authenticated since then (`core/authentication-age.ts`). */
  readonly authenticatedSince?: number;
  /** As `SecretItem.dpopKey`. */
  readonly dpopKey?: string;
}

/** A token answer that is stored and not judged yet. */
export interface PendingAnswer {
  readonly refreshToken?: string;
  readonly body: string;
  /** RFC 3339. */
  readonly receivedAt: string;
  /** SHA-256 of the refresh token that was spent for it: tells whether it follows on what an item holds. Absent at a login. */
  readonly spent?: string;
  /** Of a login of which nothing was judged yet: what the item says of an earlier login is not about it. */
  readonly ofNewLogin?: true;
  /** With `ofNewLogin`; absent in answers that an earlier version stored. */
  readonly newLogin?: NewLogin;
}

/** What a login's ID token said, as far as the refreshed ones must agree with it (OIDC Core 12.2). What is absent is not compared, but for azp. */
export interface LoginFacts {
  /** Seconds since the epoch. */
  readonly iat?: number;
  /** Seconds since the epoch. */
  readonly authTime?: number;
  /** Seconds since the epoch, by this computer's clock: when the login was. Absent in items of earlier versions, and of adopted tokens. */
  readonly at?: number;
  /** It named an authorized party: our client, as every azp must. */
  readonly azp?: true;
  /** 128 bits of its SHA-256: enough to compare, and short for the Windows limit on an item. */
  readonly nonce?: string;
}

export interface SecretItem {
  readonly schema: 1;
  readonly refreshToken?: string;
  /** A token answer that is stored and not yet judged; its refresh token is the newest. */
  readonly pending?: PendingAnswer;
  readonly subject?: string;
  /** Absent in items of earlier versions, and of logins without an ID token. */
  readonly login?: LoginFacts;
  readonly trust: TlsTrust;
  readonly servers: readonly TrustedServer[];
  /** The private key that the refresh token is bound to (RFC 9449), as JWK text: whoever has only one of the two has nothing. */
  readonly dpopKey?: string;
  /** Opens this item's sealed journal. */
  readonly sealKey?: string;
}

export interface CredentialRecord {
  readonly schema: 1;
  readonly sessionKey: string;
  readonly kind: "id" | "access";
  readonly token: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** Seconds since the epoch: when the token came by this computer's clock, or its `iat` when that is earlier. */
  readonly receivedAt: number;
  readonly subject?: string;
  /** The session's server list when the token came. */
  readonly servers: readonly TrustedServer[];
  /** Ids of the memo entries that may release this token (docs/adr/0001-hot-path.md). */
  readonly memoIds: readonly string[];
}

const isText = (value: unknown): value is string => typeof value === "string";
const isOptionalText = (value: unknown) => value === undefined || isText(value);

/** Loops, here and below: the hot path reads by it (memo.ts says why). */
export function isTexts(value: unknown): value is readonly string[] {
  if (!Array.isArray(value)) return false;
  for (const text of value) if (typeof text !== "string") return false;
  return true;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Why a stored text cannot be used. */
export type Unusable = "damaged" | "newer";

/** `damaged` for text that is not ours, `newer` for a schema above ours, else the record. */
export function parseSessionRecord(text: string): SessionRecord | Unusable {
  const o = parseObject(text);
  if (o === undefined) return "damaged";
  if (isNewer(o)) return "newer";
  const i = o["identity"];
  const valid =
    o["schema"] === 1 &&
    isText(o["key"]) &&
    isText(o["itemName"]) &&
    isText(o["loggedInAt"]) &&
    typeof o["hasRefreshToken"] === "boolean" &&
    [o["subject"], o["displayName"], o["tokenExpiresAt"], o["loginId"]].every(isOptionalText) &&
    isObject(i) &&
    [i["issuer"], i["clientId"], i["grant"], i["storage"]].every(isText) &&
    isTexts(i["scopes"]) &&
    isTexts(i["extraParams"]) &&
    [i["account"], i["acrValues"], i["directory"], i["machine"]].every(isOptionalText);
  return valid ? (o as unknown as SessionRecord) : "damaged";
}

export function parseSecretItem(text: string): SecretItem | Unusable {
  const o = parseObject(text);
  if (o === undefined) return "damaged";
  if (isNewer(o)) return "newer";
  const trust = o["trust"];
  const pending = o["pending"];
  const valid =
    o["schema"] === 1 &&
    isOptionalText(o["refreshToken"]) &&
    isOptionalText(o["subject"]) &&
    isOptionalText(o["sealKey"]) &&
    isOptionalText(o["dpopKey"]) &&
    isServers(o["servers"]) &&
    isObject(trust) &&
    typeof trust["insecure"] === "boolean" &&
    isTexts(trust["authorities"]) &&
    (o["login"] === undefined || isLoginFacts(o["login"])) &&
    (pending === undefined || isPending(pending));
  return valid ? (o as unknown as SecretItem) : "damaged";
}

/** A list of answers as text; what is none is left out. */
export function parsePendings(text: string): readonly PendingAnswer[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? (list.filter(isPending) as readonly PendingAnswer[]) : [];
  } catch {
    return [];
  }
}

const isOptionalNumber = (value: unknown) => value === undefined || typeof value === "number";

function isLoginFacts(value: unknown): boolean {
  return (
    isObject(value) &&
    isOptionalNumber(value["iat"]) &&
    isOptionalNumber(value["authTime"]) &&
    isOptionalNumber(value["at"]) &&
    [true, undefined].some((azp) => azp === value["azp"]) &&
    isOptionalText(value["nonce"])
  );
}

function isPending(value: unknown): boolean {
  return (
    isObject(value) &&
    isText(value["body"]) &&
    isText(value["receivedAt"]) &&
    isOptionalText(value["refreshToken"]) &&
    isOptionalText(value["spent"]) &&
    (value["newLogin"] === undefined || isNewLogin(value["newLogin"]))
  );
}

function isNewLogin(value: unknown): boolean {
  return isObject(value) && isOptionalNumber(value["at"]) && isOptionalNumber(value["authenticatedSince"]) && isOptionalText(value["dpopKey"]);
}

/** What the next answer must agree with; undefined when that is not known. */
export function loginOf(item: SecretItem): LoginFacts | undefined {
  return item.pending?.ofNewLogin === true ? undefined : item.login;
}

/** The key of the newest refresh token; undefined for one that is bound to none. */
export function dpopKeyOf(item: SecretItem): string | undefined {
  return item.pending?.ofNewLogin === true ? item.pending.newLogin?.dpopKey : item.dpopKey;
}

/** The newest refresh token of an item: that of an answer which was not judged yet, else the judged one. */
export function newestToken(item: Pick<SecretItem, "refreshToken" | "pending"> | undefined): string | undefined {
  return item?.pending?.refreshToken ?? item?.refreshToken;
}

/** As the hot path needs it: strict, cheap, never throws. */
export function parseCredentialRecord(text: string): CredentialRecord | Unusable {
  const o = parseObject(text);
  if (o === undefined) return "damaged";
  if (isNewer(o)) return "newer";
  const valid =
    o["schema"] === 1 &&
    isText(o["sessionKey"]) &&
    (o["kind"] === "id" || o["kind"] === "access") &&
    isText(o["token"]) &&
    Number.isFinite(o["expiresAt"]) &&
    Number.isFinite(o["receivedAt"]) &&
    isOptionalText(o["subject"]) &&
    isServers(o["servers"]) &&
    isTexts(o["memoIds"]);
  return valid ? (o as unknown as CredentialRecord) : "damaged";
}

function isNewer(o: Readonly<Record<string, unknown>>): boolean {
  const schema = o["schema"];
  return typeof schema === "number" && schema > sessionSchema;
}

function isServers(value: unknown): value is readonly TrustedServer[] {
  if (!Array.isArray(value)) return false;
  for (const s of value) if (!(isObject(s) && isText(s["origin"]) && isText(s["authority"]) && isOptionalText(s["tlsServerName"]) && isOptionalText(s["proxy"]))) return false;
  return true;
}
