import type { IssuerInspection } from "../core/checks/issuer.ts";
import type { ClientProof } from "../core/client-proof.ts";
import { accountOf, credentialKey, identityOf, itemName, sameButAccount, sessionKey } from "../core/keys.ts";
import type { Waited } from "../core/handout.ts";
import type { CredentialRecord, SessionIdentity, SessionRecord, TlsTrust, TrustedServer } from "../core/session.ts";
import type { Settings } from "../core/settings.ts";
import type { Surroundings } from "../core/surroundings.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type {
  Browser,
  CallbackServer,
  Clock,
  CredentialStore,
  Locks,
  OpenIdProvider,
  PrivateFiles,
  SecretItems,
  SecretStore,
  SessionStore,
  SubjectTokens,
  Terminal,
  TokenAnswer,
} from "../ports.ts";

/** The outside world for one session, built by compose.ts. What costs something is built when it is first asked for. */
export interface World {
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly browser: Browser;
  surroundings(): Surroundings;
  readonly callbacks: CallbackServer;
  readonly files: PrivateFiles;
  readonly sessions: SessionStore;
  readonly credentials: CredentialStore;
  readonly store: SecretStore;
  readonly secrets: SecretItems;
  /** A wait for another call before this program was loaded: what fails since its beginning is this call's failure too. */
  readonly waited?: Waited | undefined;
  /** Undefined: the audit log is off. */
  readonly audit?: AuditTrail | undefined;
  locks(): Promise<Locks>;
  /**
   * Runs what must not be cut short: from the request that spends a token or a code until its answer is stored. Signals and the parent's
   * death end the program after it, bounded by the deadlines inside.
   */
  undisturbed<T>(action: () => Promise<T>): Promise<T>;
  /** One for the whole run. `cacheKey`: the key in the stored item, under which alone what an earlier run learned of the issuer counts. */
  provider(cacheKey?: string): Promise<OpenIdProvider>;
  /** What the issuer says now. The codes of discovery. */
  inspectIssuer(): Promise<IssuerInspection>;
  /** How the client proves itself there. SETTINGS_INVALID for files that cannot be used. */
  clientProof(): Promise<ClientProof>;
  /** The requests of `action` end within `ms`, however many they are; one that spends a token is not begun without its whole time. */
  requestsWithin<T>(ms: number, action: () => Promise<T>): Promise<T>;
  /** The TLS trust that requests of this run have. SETTINGS_INVALID for CA files that cannot be used. */
  trust(): TlsTrust;
  /** Loads what a request will need. To be called before something else is waited for; it makes no request. */
  makeRequestsReady(): void;
  /** Lines of a QR code. */
  qr(text: string): Promise<readonly string[]>;
  /** Reads this machine's own token of its platform. */
  subjectTokens(): SubjectTokens;
  /** Reads a small secret file (client secret, password). SETTINGS_INVALID naming the option. */
  readSecretFile(option: string, path: string): Promise<string>;
}

/** What the use cases tell the audit log (`audit-trail.ts`). Nothing here throws. */
export interface AuditTrail {
  newLoginId(): string;
  /** The session's record as it lies there now. */
  record(run: Run): SessionRecord | undefined;
  /** A token was handed out. */
  handedOut(run: Run, credential: CredentialRecord): Promise<void>;
  /**
   * A login or a refresh is stored. `credential`: what is handed out, a token of the answer or one that it was exchanged for; undefined when that could not be
   * had. `login`: the id of the login.
   */
  promoted(
    run: Run,
    event: "login" | "refresh",
    answer: TokenAnswer,
    credential: CredentialRecord | undefined,
    how: { readonly grant: string | undefined; readonly login: string | undefined },
  ): Promise<void>;
  /** Counts refusals only; other errors are none of its business. */
  refused(run: Run, error: unknown, grant: string): Promise<void>;
  /** `record`: of the session, which is gone. */
  loggedOut(run: Run, record: SessionRecord | undefined, revoked: boolean): Promise<void>;
}

/** The session that a call is about. */
export interface SessionChoice {
  readonly identity: SessionIdentity;
  readonly key: string;
  readonly itemName: string;
  readonly credentialKey: string;
  readonly record: SessionRecord | undefined;
  /** See `lockName`. */
  readonly isWithin: boolean;
}

/**
 * The session these settings mean (cli.md M2). Without `--account`, the only stored one that matches otherwise;
 * SETTINGS_INCOMPLETE when there are several.
 */
export function chooseSession(settings: Settings, sessions: SessionStore): SessionChoice {
  const wanted = identityOf(settings);
  const stored = settings.storage === "none" ? [] : sessions.list();
  const matching = stored.filter((record) => (accountOf(settings) === undefined ? sameButAccount(record.identity, wanted) : record.key === sessionKey(wanted)));
  if (matching.length > 1) {
    const names = matching
      .map((record) => safeText(record.identity.account ?? record.displayName ?? record.subject ?? "unknown", 60))
      .sort()
      .join(", ");
    fail("SETTINGS_INCOMPLETE", { message: `several sessions match, and --account names none: ${names}`, hint: "add --account=NAME with one of these accounts" });
  }
  const record = matching[0];
  const identity = record?.identity ?? wanted;
  const key = sessionKey(identity);
  return {
    identity,
    key,
    itemName: itemName(identity),
    credentialKey: credentialKey(key, settings.audiences, settings.useAccessToken, settings.sessionMaxAge, settings.requestedTokenType),
    record,
    isWithin: settings.subject?.isWithin === true,
  };
}

/** One run for one session. */
export interface Run {
  readonly world: World;
  readonly settings: Settings;
  readonly session: SessionChoice;
  /** The API server of the exec info, when kubectl gave it. */
  readonly server: TrustedServer | undefined;
  readonly signal: AbortSignal;
  /** Warnings that matter only when the call ends well: an error has three lines and nothing before them (cli.md). */
  readonly later: string[];
}

/** Seconds since the epoch. */
export const seconds = (world: World) => world.clock.now() / 1000;
