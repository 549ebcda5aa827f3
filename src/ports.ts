/**
 * The outside world on one page: everything this program can do to a machine. `app/` sees only these interfaces;
 * `compose.ts` fills them with adapters. "Not found" is `undefined`, never an error. Every wait is bounded by the
 * deadline given or stated here. Times are milliseconds since the epoch unless the name says otherwise.
 */
import type { AuditEvent } from "./core/audit-entry.ts";
import type { CallbackOptions } from "./core/callback-options.ts";
import type { DeviceAuthorization } from "./core/device-answer.ts";
import type { DpopKey } from "./core/dpop.ts";
import type { ExchangedToken, ExchangeRequest } from "./core/issued-token.ts";
import type { CredentialRecord, SecretItem, SessionRecord, TrustedServer } from "./core/session.ts";
import type { ResultPage } from "./core/result-page.ts";
import type { Secret } from "./core/secret.ts";
import type { StartedAuthorization } from "./core/started-authorization.ts";
import type { SubjectSource } from "./core/subject-source.ts";
import type { TokenAnswer } from "./core/token-answer.ts";
import type { TokenReview } from "./core/token-proof.ts";
import type { OidcError } from "./errors/oidc-error.ts";

export interface Clock {
  now(): number;
  /** Resolves after `ms`; rejects with INTERRUPTED when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** stderr and, when a person sits there, stdin. A last gate lets only safe characters through; foreign text is made safe before. Never stdout. */
export interface Terminal {
  readonly stdinIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Characters on a line of the terminal behind stderr; 0 when there is none. */
  readonly columns: number;
  /** One line for the person: a line break in it becomes a blank. */
  say(line: string): void;
  /** One line that starts with `kubectl-oidc: warning: `. Each text is said once. */
  warn(text: string): void;
  /** Steps (level 1), requests (4), headers (8): shown when `-v` asks for it. Never a secret at any level. */
  log(level: 1 | 4 | 8, text: string): void;
  /** A line while something is waited for: made anew every second, below all others, gone at the end; without such a terminal it is said once. Not beside `ask`. */
  waiting(line: () => string): { end(): void };
  /** Asks on stderr, reads one line of stdin. Rejects with INTERRUPTED when the signal aborts. `hidden`: without echo. `above`: a line over it, as in `waiting`. */
  ask(prompt: string, options: { readonly hidden: boolean; readonly signal: AbortSignal; readonly above?: (() => string) | undefined }): Promise<string>;
}

/** The person's browser. The child is detached and holds none of our pipes. */
export interface Browser {
  /** False when this computer plainly has none (no display, no launcher). Starts nothing. */
  available(): boolean;
  /** True when a launcher was started; false also for what `openableUrl` refuses. Never throws, never waits for the browser to end. */
  open(url: string): Promise<boolean>;
}

/** A bound loopback listener. It answers the browser only when told the outcome. */
export interface CallbackListener {
  /** As the issuer must see it: `http://localhost:8000` without an added slash. */
  readonly redirectUri: string;
  /** That is bound here; the redirect URL may name another one. */
  readonly port: number;
  /** The query of the request with our state (`code` or `error`), as `?…`. Rejects with INTERRUPTED when the signal aborts. */
  next(signal: AbortSignal): Promise<string>;
  /** Answers the waiting browser, then closes every connection. Without a waiting browser it only closes. Idempotent. */
  finish(page: ResultPage | undefined): Promise<void>;
}

export interface CallbackServer {
  /** Binds before it resolves. PORTS_IN_USE when no address can be had; SETTINGS_INVALID for unreadable key files. */
  listen(options: CallbackOptions): Promise<CallbackListener>;
}

/** What the issuer says about itself; from the network or from the disk cache, always checked against the setting. */
export interface IssuerFacts {
  readonly issuer: string;
  readonly supportsOffline: boolean;
  readonly supportsDevice: boolean;
  readonly supportsRevocation: boolean;
  /** RFC 8693. */
  readonly supportsExchange: boolean;
  /** It lists the PKCE methods that it knows, and S256 is none of them. */
  readonly deniesS256: boolean;
  /** How proofs of a key are signed (RFC 9449); undefined when it lists no algorithm that we have. */
  readonly dpopAlgorithm?: string | undefined;
  readonly authorizationEndpoint: string | undefined;
  readonly endSessionEndpoint: string | undefined;
}

export type { TokenAnswer };

/** Called with the raw token answer, never an error, before anything judges it (a rotated refresh token must be durable first). What it throws ends the exchange. */
export type BeforeJudged = (answer: { readonly refreshToken: Secret | undefined; readonly body: Secret }) => Promise<void>;

/** Request parameters; a name may repeat (RFC 8707 resource). */
export type Parameters = readonly (readonly [name: string, value: string])[];

export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly scope: string;
  readonly extra: Parameters;
  /** A request that is pushed proves that we have it (RFC 9449, section 10.1). */
  readonly dpopKey?: Secret | undefined;
}

export type DevicePoll =
  | { readonly kind: "pending" | "slow-down" }
  | { readonly kind: "later"; readonly seconds: number }
  | { readonly kind: "tokens"; readonly answer: TokenAnswer };

/**
 * The OpenID Provider. Faults: ISSUER_UNREACHABLE, ISSUER_TLS_UNTRUSTED, DISCOVERY_INVALID, ISSUER_MISMATCH,
 * CLIENT_REJECTED, SCOPE_REJECTED, GRANT_UNSUPPORTED, ID_TOKEN_MISSING, ID_TOKEN_INVALID, POLICY_NOT_MET, and those said below.
 * Each request has its own deadline of 15 seconds; those of one refresh end within 40 (`requestsWithin`).
 */
export interface OpenIdProvider {
  facts(): Promise<IssuerFacts>;
  /** Makes state, nonce and PKCE verifier and builds the URL. No request, unless it is pushed (RFC 9126). Also LOGIN_DENIED, SETTINGS_INCOMPLETE. */
  startAuthorization(request: AuthorizationRequest & { readonly state: string }): Promise<StartedAuthorization>;
  /** 256 random bits for `state`. */
  randomState(): string;
  /** A new key pair for a session, for an algorithm of `facts`. No request. */
  newDpopKey(algorithm: string): Promise<DpopKey>;
  /** Also LOGIN_DENIED for `access_denied`. `query` is what the callback or the person brought. With a `dpopKey` the request proves that we have it; so below. */
  exchangeCode(
    started: StartedAuthorization,
    redirectUri: string,
    query: string,
    checks: { readonly maxAge: number | undefined; readonly extra: Parameters; readonly dpopKey?: Secret | undefined },
    before: BeforeJudged,
  ): Promise<TokenAnswer>;
  startDevice(request: Omit<AuthorizationRequest, "redirectUri">): Promise<DeviceAuthorization>;
  /** One poll. Also LOGIN_DENIED, DEVICE_CODE_EXPIRED. */
  pollDevice(device: DeviceAuthorization, before: BeforeJudged, how?: { readonly resources?: Parameters; readonly dpopKey?: Secret | undefined }): Promise<DevicePoll>;
  /** Also SESSION_REVOKED, for invalid_grant, login_required and interaction_required only, and for a key that is none any more. */
  refresh(
    refreshToken: Secret,
    parameters: Parameters,
    before: BeforeJudged,
    how?: { readonly deadlineMs?: number | undefined; readonly dpopKey?: Secret | undefined },
  ): Promise<TokenAnswer>;
  /** Judges an answer again that was stored before it could be judged. No token request is made. */
  judgeAgain(body: Secret): Promise<TokenAnswer>;
  /** `jwt-bearer` (RFC 7523) also SUBJECT_TOKEN_INVALID; an access token that it gives is verified for the audiences (`resource`) asked for. */
  machineGrant(grant: "client_credentials" | "password" | "jwt-bearer", parameters: Parameters, before: BeforeJudged): Promise<TokenAnswer>;
  /**
   * RFC 8693; the token is verified: signature, issuer, audience, times. Also SUBJECT_TOKEN_INVALID. The signal ends the wait with INTERRUPTED;
   * nothing is lost by that, since an exchange spends nothing.
   */
  exchangeToken(request: ExchangeRequest, signal?: AbortSignal): Promise<ExchangedToken>;
  /** Keeps what was learned of the issuer for later runs, under the key of the stored item. Best effort; no request. */
  remember(cacheKey: string): Promise<void>;
  /** RFC 7009. False when the issuer offers no revocation. Deadline 10 seconds. */
  revoke(refreshToken: Secret): Promise<boolean>;
}

/** This machine's own token, read from its platform afresh at each call. SUBJECT_TOKEN_INVALID, never with anything of the token. Deadline 10 seconds. */
export interface SubjectTokens {
  /** `audience` and `seconds` of life: asked of the platforms that let them be chosen. */
  read(source: SubjectSource, wanted: { readonly audience: string; readonly seconds: number }): Promise<Secret>;
}

/** The API server of a context, reached as kubectl would, with our token and nothing else. */
export interface ApiServer {
  /** API_SERVER_UNREACHABLE; SETTINGS_INVALID for a cluster that cannot be used. Deadline 10 seconds for each request, of three at most. */
  review(token: Secret): Promise<TokenReview>;
}

/**
 * Where refresh tokens rest: OS keychain, credential helper, 0600 files, or nowhere.
 * KEYCHAIN_UNAVAILABLE, KEYCHAIN_LOCKED, KEYCHAIN_TIMED_OUT (keychain and helper); STORE_UNREADABLE, STORE_UNWRITABLE, STORE_UNSAFE (disk).
 */
export interface SecretStore {
  /** `keyring`, `helper:pass`, `disk`, `none` */
  readonly kind: string;
  /** False for `none`: writes are ignored. */
  readonly keeps: boolean;
  /** For people: `the OS keychain`, `docker-credential-pass`, `/home/…/refresh`. */
  describe(): string;
  /** Writes, reads back and deletes a throw-away item. Throws as above. */
  probe(): Promise<void>;
  read(name: string): Promise<string | undefined>;
  write(name: string, value: string): Promise<void>;
  /**
   * Makes sure, as far as this store can, that the next write of the item succeeds: asked before an issuer replaces what it holds.
   * Throws as `write` does. The end of the room must be told.
   */
  prepare(name: string): Promise<{ giveBack(): void }>;
  /** Deleting what is not there is no error. */
  remove(name: string): Promise<void>;
}

/** Where a token answer rests beside the store, in case that fails, forgets, or is late: private files that only a key in the stored item opens. Synchronous. */
export interface SealedJournal {
  /** 256 random bits. */
  newKey(): string;
  /** Durable and encrypted. STORE_UNWRITABLE. */
  write(name: string, key: string, text: string): void;
  /** True when a write of up to 64 KiB would find room somewhere. Never throws. */
  hasRoom(name: string): boolean;
  /** What the key opens; several when an older one could not be removed. Never throws. */
  read(name: string, key: string): readonly string[];
  /** Best effort. */
  remove(name: string): void;
}

/** A `SecretStore` seen as typed items, with the journal behind it. Built on top of both by `app/`. */
export interface SecretItems {
  read(name: string): Promise<SecretItem | undefined>;
  /** Gives the store's fault when the journal keeps the item's pending answer instead; undefined when all is well. Throws that fault when neither could. */
  write(name: string, item: SecretItem): Promise<OidcError | undefined>;
  /** As the store's `prepare`; when that has no room and the journal of this item has, all is well too. */
  prepare(name: string, item: SecretItem): Promise<{ giveBack(): void }>;
  remove(name: string): Promise<void>;
  /** A key for the journal, to be stored in the item. */
  newSealKey(): string;
}

/** Room on a disk that was taken before it is needed. */
export interface Reservation {
  /** As `PrivateFiles.write`, into the room that was taken. */
  write(text: string): void;
  /** Gives back what was not used. Idempotent. */
  drop(): void;
}

/** Small private files of the store, one folder (`--token-cache-dir`). STORE_UNREADABLE, STORE_UNWRITABLE, STORE_UNSAFE. */
export interface PrivateFiles {
  readonly folder: string;
  /** Undefined when absent. At most 1 MiB. `name` is `folder/file` relative to the store. */
  read(name: string): string | undefined;
  /** Atomic and durable: temp file, fsync, rename, fsync of the folder. 0600 in 0700. `either`: after a power cut the former content will do. */
  write(name: string, text: string, after?: "new" | "either"): void;
  /** Takes the room for a write of up to 64 KiB now. STORE_UNWRITABLE when there is none. */
  reserve(name: string): Reservation;
  remove(name: string): void;
  /** File names (without folder) under `folder`, sorted. Empty when the folder is absent. */
  list(folder: string): readonly string[];
  /** Renames a damaged file to `<name>.corrupt`, so that it is out of the way and still there for a look. */
  moveAside(name: string): void;
}

export interface SessionStore {
  list(): readonly SessionRecord[];
  read(key: string): SessionRecord | undefined;
  write(record: SessionRecord): void;
  remove(key: string): void;
}

export interface CredentialStore {
  read(credentialKey: string): Promise<CredentialRecord | undefined>;
  write(credentialKey: string, record: CredentialRecord): Promise<void>;
  /** Every credential of this session. */
  removeAllOf(sessionKey: string): Promise<void>;
  /** Gives every credential of this session the new server list, and forgets which memos may release it. */
  setServersOfAll(sessionKey: string, servers: readonly TrustedServer[]): Promise<void>;
}

/** The local audit log (`audit: true`). Best effort: nothing here throws, and what cannot be written is said once. */
export interface AuditLog {
  /** 64 random bits. No secret. */
  newLoginId(): string;
  /** One write; before the first, 500 ms at most for the name of the parent (macOS). */
  record(event: AuditEvent): Promise<void>;
}

export interface HeldLock {
  /** Idempotent. */
  release(): void;
}

/** What a waiter can tell about the holder. */
export interface LockHolder {
  readonly pid: number;
  readonly since: number;
}

/** How a wait for a lock may go. */
export interface LockWait {
  /** Called once, when the first try fails. */
  readonly onWait?: (holder: LockHolder | undefined) => void;
  /** Asked after each failed try: true ends the wait without the lock, because what was waited for is there. */
  readonly unless?: () => Promise<boolean>;
}

/** Locks that the kernel holds for us: they end with the process, `kill -9` included. */
export interface Locks {
  /** Undefined when somebody else holds it. STORE_UNWRITABLE when the lock file cannot be made. */
  tryTake(name: string): HeldLock | undefined;
  /**
   * Waits for `waitMs` at most, by a clock that nobody can set; undefined when they pass, or when `unless` says so. A waiter
   * is woken at the release. Rejects with INTERRUPTED when the signal aborts.
   */
  take(name: string, waitMs: number, signal: AbortSignal, wait?: LockWait): Promise<HeldLock | undefined>;
}
