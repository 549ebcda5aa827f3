import type { SessionIdentity } from "./session.ts";
import { sha256Hex } from "./sha256.ts";
import type { Settings } from "./settings.ts";

/**
 * The session key (cli.md M2): one refresh token, one key. Canonical and sorted; never raw argv, a cluster, or the shape
 * of a struct. Extra parameters stand in it as digests: they may carry a secret.
 */
export function identityOf(settings: Settings): SessionIdentity {
  return {
    issuer: settings.issuer,
    clientId: settings.clientId,
    scopes: settings.scopes,
    ...optionalAccount(settings),
    // Every interactive flow ends in the same kind of session: a device-code login serves kubectl's authcode stanza.
    grant: isMachineGrant(settings.grant) ? settings.grant : "person",
    ...(settings.acrValues === undefined ? {} : { acrValues: settings.acrValues }),
    extraParams: Object.entries(settings.extraParams)
      .map(([name, value]) => `${name}=${sha256Hex(value).slice(0, 16)}`)
      .sort(),
    storage: settings.storage,
    ...(settings.cacheDirectory === undefined ? {} : { directory: settings.cacheDirectory }),
    ...(settings.subject === undefined ? {} : { machine: settings.subject.identity }),
  };
}

/** Whose session it is to be. Two user names with passwords are two people, whether or not `--account` says so. */
export function accountOf(settings: Pick<Settings, "account" | "grant" | "username">): string | undefined {
  return settings.account ?? (settings.grant === "password" ? settings.username : undefined);
}

/** The account that a token must name. A user name is proved by its password, and may be no name that a claim has. */
export function namedAccount(settings: Pick<Settings, "account" | "grant">, identity: Pick<SessionIdentity, "account">): string | undefined {
  return settings.account ?? (settings.grant === "password" ? undefined : identity.account);
}

function optionalAccount(settings: Settings): { readonly account?: string } {
  const account = accountOf(settings);
  return account === undefined ? {} : { account };
}

/** Grants that need no person. */
export function isMachineGrant(grant: string): boolean {
  return ["client-credentials", "token-exchange", "jwt-bearer", "subject-token", "password"].includes(grant);
}

/** Grants of a machine that end in no refresh token: nothing of theirs lies in a keychain, and it is never asked. */
export function isPureMachine(grant: string): boolean {
  return grant !== "password" && isMachineGrant(grant);
}

/**
 * The part of a lock's name that says whose it is. A job's sessions end with it, and their lock files stay (adapters/kernel-locks.ts): on a shared
 * runner they would pile up for ever, so machines share 256 names. Two that meet there wait for each other, and no more. `isWithin`: a call in
 * the command that a machine's session asks for its token; that one holds a name of the 256 until the command ends, and so may others whose
 * commands wait for ours in turn. So such calls have 256 others; no command of theirs asks us again (`chooseSubject`).
 */
export function lockName({ identity, key, isWithin }: { readonly identity: Pick<SessionIdentity, "machine">; readonly key: string; readonly isWithin: boolean }): string {
  return identity.machine === undefined ? key : `${isWithin ? "within" : "machine"}-${key.slice(0, 2)}`;
}

/** 64 hex digits. */
export function sessionKey(identity: SessionIdentity): string {
  return sha256Hex(canonicalText(identity));
}

function canonicalText(identity: SessionIdentity): string {
  const { account, acrValues, directory } = identity;
  return JSON.stringify([
    "session-1",
    identity.issuer,
    identity.clientId,
    identity.scopes,
    account ?? null,
    identity.grant,
    acrValues ?? null,
    identity.extraParams,
    identity.storage,
    directory ?? null,
    // Only where it is there: the keys of other sessions stay as they were.
    ...(identity.machine === undefined ? [] : [identity.machine]),
  ]);
}

/** True when the two differ in the account at most. */
export function sameButAccount(one: SessionIdentity, other: SessionIdentity): boolean {
  const withoutAccount = ({ account: _, ...rest }: SessionIdentity) => canonicalText(rest);
  return withoutAccount(one) === withoutAccount(other);
}

/**
 * The item's name in the keychain, readable in the platform's own tool (cli.md M3):
 * `<issuer>#<client-id>[#<account>][#<8 hex of the key>]`; the hex is there when anything but these makes the session special.
 */
export function itemName(identity: SessionIdentity): string {
  const plain =
    identity.scopes.length === 0 &&
    identity.grant === "person" &&
    identity.acrValues === undefined &&
    identity.extraParams.length === 0 &&
    identity.directory === undefined &&
    identity.machine === undefined;
  const account = identity.account === undefined ? "" : `#${identity.account}`;
  return `${identity.issuer}#${identity.clientId}${account}${plain ? "" : `#${sessionKey(identity).slice(0, 8)}`}`;
}

/**
 * One short-lived token: session, audience, kind, and the greatest age of the session (seconds) when that ends the token early: the hot path
 * looks at the file's own end, so a token that was cut short must be another file's than one that was not. 64 hex digits.
 */
export function credentialKey(key: string, audiences: readonly string[], useAccessToken: boolean, sessionMaxAge?: number | undefined, exchangedFor?: string | undefined): string {
  const parts = ["credential-1", key, [...audiences].sort(), useAccessToken ? "access" : "id"];
  // What an exchange is asked for makes another token for the same audience.
  if (exchangedFor !== undefined && audiences.length > 0) return sha256Hex(JSON.stringify([...parts, sessionMaxAge ?? null, exchangedFor]));
  return sha256Hex(JSON.stringify(sessionMaxAge === undefined ? parts : [...parts, sessionMaxAge]));
}
