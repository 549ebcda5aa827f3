import { rfc3339 } from "../core/exec-credential.ts";
import { decodeJwt, displayName } from "../core/id-token.ts";
import { once } from "../core/once.ts";
import { loginFactsOf } from "../core/refreshed-token.ts";
import { endOfSession } from "../core/authentication-age.ts";
import { isMachineGrant } from "../core/keys.ts";
import { type CredentialRecord, dpopKeyOf, type LoginFacts, newestToken, type NewLogin, type PendingAnswer, type SecretItem, type TrustedServer } from "../core/session.ts";
import { sha256Hex } from "../core/sha256.ts";
import { withServer } from "../core/server-trust.ts";
import { isOidcError } from "../errors/oidc-error.ts";
import type { BeforeJudged, TokenAnswer } from "../ports.ts";
import { handedToken, tokenKind } from "./handed-token.ts";
import { type Run, seconds } from "./world.ts";

/** What a judged answer is of. */
export interface Promotion {
  readonly isLogin: boolean;
  readonly offlineRefused: boolean;
  /** How a login was made, for the audit log. */
  readonly grant?: string;
}

/** Keeps one token answer in its two steps: durable before it is judged, promoted after. */
export interface Keeper {
  /** The session's server list as it was read. */
  readonly servers: readonly TrustedServer[];
  readonly before: BeforeJudged;
  /**
   * Promotes the answer; writes credential and record. A store that fails is said: a good login is not thrown away (cli.md promise 9). The codes
   * of `handedToken`; when the answer is good and only the token for an audience could not be had, the session is kept all the same.
   */
  promote(answer: TokenAnswer, options: Promotion): Promise<CredentialRecord>;
  /** Removes the answer and its predecessor: the issuer answered for somebody else. */
  dropBoth(): Promise<void>;
  /** Puts back what lay there before this answer: a login that did not succeed changes nothing. False when the store did not take it. */
  undo(): Promise<boolean>;
  /** The refresh token that was received and not judged. */
  received(): string | undefined;
  /** True when the answer that was received rests in the store, or beside it, to be judged later. */
  isKept(): boolean;
  /** True when the answer was promoted, whatever came of its token. */
  isPromoted(): boolean;
  /** True when the session was logged out while the issuer answered: nothing was stored. */
  isGone(): boolean;
}

/**
 * `previous` is the item as it lies in the store; undefined at a first login. `by`: a login needs no session that is still there. `newLogin`: what is to
 * be known of a login, asked when its answer is there.
 */
export function keeper(run: Run, previous: SecretItem | undefined, by: "login" | "refresh", newLogin: () => NewLogin = () => ({ at: seconds(run.world) })): Keeper {
  const { world, session } = run;
  const trust = previous !== undefined && previous.refreshToken !== undefined ? previous.trust : world.trust();
  let base: SecretItem = previous ?? { schema: 1, trust, servers: [] };
  let receivedToken: string | undefined;
  let isPending = previous?.pending !== undefined;
  let isGone = false;
  let isPromoted = false;
  const isNewLogin = by === "login" || previous?.pending?.ofNewLogin === true;
  const bornAs = once(() => (by === "login" ? newLogin() : previous?.pending?.newLogin));
  /** Why the pending answer lies in the journal and not in the store. */
  let sealedFor: unknown;

  // One full disk or absent keychain is one fault, however many files of ours it keeps from being written.
  const said = new Set<string>();

  const tryTo = async (what: string, action: () => Promise<void> | void) => {
    try {
      await action();
      return true;
    } catch (error) {
      const code = isOidcError(error) ? error.code : "";
      if (!said.has(code)) sayFault(run, what, error);
      said.add(code);
      return false;
    }
  };

  /** A judged answer that stays pending, in the store or in the journal, is judged again at the next call: nothing is lost. */
  async function storePromoted(item: SecretItem): Promise<boolean> {
    if (sealedFor === undefined) return tryTo("the session could not be stored", () => storeItem(run, item));
    try {
      await storeItem(run, item);
      return true;
    } catch {
      sayFaultLater(run, "the new refresh token rests in an encrypted file until the store takes it", sealedFor);
      return false;
    }
  }

  async function promoteJudged(answer: TokenAnswer, { isLogin, offlineRefused, grant }: Promotion, writing: { item?: Promise<boolean> | undefined }): Promise<CredentialRecord> {
    const subject = typeof answer.claims["sub"] === "string" ? answer.claims["sub"] : base.subject;
    // A login that brought none leaves the former one, unless that is somebody else's.
    const former = isLogin && base.subject !== undefined && base.subject !== subject ? undefined : newestToken(base);
    const refreshToken = answer.refreshToken?.reveal() ?? receivedToken ?? former;
    const isOfFormerLogin = isLogin && answer.refreshToken === undefined && receivedToken === undefined && former !== undefined;
    const servers = isLogin ? withServer(base.servers, run.server) : base.servers;
    const { pending: _, login: before, dpopKey: formerKey, ...rest } = base;
    const born = isNewLogin ? bornAs() : undefined;
    // A login that could not be judged at once, or an item of an earlier version, is known by its first judged answer.
    const facts = (isNewLogin && !isOfFormerLogin ? undefined : before) ?? (answer.idToken === undefined ? undefined : loginFactsOf(answer.claims));
    const login: LoginFacts | undefined = born?.at === undefined ? facts : { ...facts, at: born.at };
    const item: SecretItem = {
      ...rest,
      trust: isLogin ? world.trust() : trust,
      servers,
      ...(refreshToken === undefined ? {} : { refreshToken }),
      ...(subject === undefined ? {} : { subject }),
      ...(login === undefined ? {} : { login }),
      ...(refreshToken === undefined ? {} : { sealKey: base.sealKey ?? world.secrets.newSealKey() }),
      // The key of the token that stays: a login that brought none leaves the former one's.
      ...optional("dpopKey", refreshToken === undefined ? undefined : refreshToken === newestToken(base) ? dpopKeyOf(base) : isNewLogin ? born?.dpopKey : formerKey),
    };
    const changed = isLogin || isPending || refreshToken !== base.refreshToken || subject !== base.subject;
    const isKeeping = world.store.keeps && refreshToken !== undefined;
    const storing = isKeeping && changed ? storePromoted(item) : undefined;
    writing.item = storing;
    // What is pending is safe already, so a refresh goes on while a keychain takes what was judged: 4 ms of its time.
    if (!isPending || isLogin) await storing;
    const kept = isKeeping && (storing === undefined || isPending || (await storing));
    // What was judged under the old server list must not be released under the new one, in no credential of the session.
    if (servers !== base.servers && run.settings.idTokenCache !== "none") await tryTo("cached tokens could not be removed", () => world.credentials.removeAllOf(session.key));
    base = item;
    if (isLogin && kept && item.sealKey !== undefined) await (await world.provider()).remember(item.sealKey);
    // One session serves many audiences: that this one has no token is no reason to end it.
    isPromoted = run.settings.audiences.length > 0;
    const made = await credentialOf(run, answer, item, isLogin).catch((error: unknown) => {
      if (!isPromoted) throw error;
      return { error };
    });
    const credential = "error" in made ? undefined : made;
    if (credential !== undefined && run.settings.idTokenCache !== "none")
      await tryTo("the token could not be cached", () => world.credentials.write(session.credentialKey, credential));
    // A login in between has another id than the record that was read at the start.
    const loginId = isNewLogin ? world.audit?.newLoginId() : (world.audit?.record(run) ?? session.record)?.loginId;
    if (world.store.keeps) {
      await tryTo("the session could not be recorded", () =>
        world.sessions.write({
          schema: 1,
          key: session.key,
          identity: session.identity,
          itemName: session.itemName,
          hasRefreshToken: kept,
          loggedInAt: isLogin || session.record === undefined ? rfc3339(seconds(world)) : session.record.loggedInAt,
          ...optional("tokenExpiresAt", credential === undefined ? session.record?.tokenExpiresAt : rfc3339(credential.expiresAt)),
          ...(subject === undefined ? {} : { subject }),
          ...optional("displayName", displayName(answer.claims) ?? session.record?.displayName),
          ...optional("loginId", loginId),
          ...(answer.isBound === true ? { bound: true as const } : {}),
          ...(offlineRefused || session.record?.offlineRefused ? { offlineRefused: true as const } : {}),
        }),
      );
    }
    await world.audit?.promoted(run, isNewLogin ? "login" : "refresh", answer, credential, { grant: grant ?? (isNewLogin ? undefined : "refresh-token"), login: loginId });
    if (!("error" in made)) return made;
    throw made.error;
  }

  return {
    servers: base.servers,
    async before({ refreshToken, body }) {
      if (refreshToken === undefined || !world.store.keeps) return;
      receivedToken = refreshToken.reveal();
      const spent = newestToken(base);
      isGone = by === "refresh" && session.record !== undefined && !isRecorded(run);
      if (isGone) return;
      const pending: PendingAnswer = {
        refreshToken: receivedToken,
        body: body.reveal(),
        receivedAt: rfc3339(seconds(world)),
        ...(spent === undefined ? {} : { spent: sha256Hex(spent) }),
        ...(isNewLogin ? { ofNewLogin: true, ...optional("newLogin", bornAs()) } : {}),
      };
      isPending = await tryTo("the refresh token could not be stored", async () => {
        sealedFor = await world.secrets.write(session.itemName, { ...base, pending });
      });
      if (isPending) base = { ...base, pending };
    },
    async promote(answer, options) {
      const writing: { item?: Promise<boolean> | undefined } = {};
      try {
        return await promoteJudged(answer, options, writing);
      } finally {
        // Whatever came of the rest: landing after the lock is free it could take the place of what another call stores.
        await writing.item;
      }
    },
    async dropBoth() {
      await tryTo("the session could not be removed", async () => {
        await world.secrets.remove(session.itemName);
        world.sessions.remove(session.key);
        await world.credentials.removeAllOf(session.key);
      });
    },
    async undo() {
      if (!isPending || receivedToken === undefined) return true;
      return tryTo("the store could not be put back", () => (previous === undefined ? world.secrets.remove(session.itemName) : storeItem(run, previous)));
    },
    received: () => receivedToken,
    isKept: () => isPending && receivedToken !== undefined,
    isPromoted: () => isPromoted,
    isGone: () => isGone,
  };
}

/** Without a pending answer there is nothing for the journal: the store's fault is thrown. */
async function storeItem(run: Run, item: SecretItem): Promise<void> {
  const fault = await run.world.secrets.write(run.session.itemName, item);
  if (fault !== undefined) throw fault;
}

/** A record that cannot be read is no sign of a logout. */
function isRecorded(run: Run): boolean {
  try {
    return run.world.sessions.read(run.session.key) !== undefined;
  } catch {
    return true;
  }
}

const optional = <K extends string, V>(name: K, value: V | undefined) => (value === undefined ? {} : ({ [name]: value } as Record<K, V>));

/** The short-lived token of an answer, as it is cached. The codes of `handedToken`. */
async function credentialOf(
  run: Run,
  answer: TokenAnswer,
  { servers, subject, login }: Pick<SecretItem, "servers" | "subject" | "login">,
  isLogin: boolean,
): Promise<CredentialRecord> {
  const { settings, session, world } = run;
  const { kind, token, expiresAt, issuedAt } = await handedToken(run, answer, isLogin);
  const now = seconds(world);
  const memoIds = (await readCredential(run).catch(() => undefined))?.memoIds ?? [];
  return {
    schema: 1,
    sessionKey: session.key,
    kind,
    token,
    // What is handed out ends with the session, whatever the token says.
    expiresAt: isMachineGrant(settings.grant) ? expiresAt : Math.min(expiresAt, endOfSession(login, settings.sessionMaxAge, now)),
    // An answer that was judged late has lived for a while: M6 goes by the whole life.
    receivedAt: issuedAt === undefined ? now : Math.min(now, issuedAt),
    servers,
    memoIds,
    // A machine has no session that says who it is.
    ...optional("subject", subject ?? subjectOf(token)),
  };
}

function subjectOf(token: string): string | undefined {
  const sub = decodeJwt(token)?.claims["sub"];
  return typeof sub === "string" ? sub : undefined;
}

/** The stored credential; a store that cannot be read is "none" here, and said. */
export async function readCredential(run: Run): Promise<CredentialRecord | undefined> {
  if (run.settings.idTokenCache === "none") return undefined;
  const record = await run.world.credentials.read(run.session.credentialKey);
  return record !== undefined && record.sessionKey === run.session.key && record.kind === tokenKind(run) ? record : undefined;
}

/** Says a storage fault with its code and cure; the work goes on. What waits to be said of the same cause is said by this. */
export function sayFault(run: Run, what: string, error: unknown): void {
  const text = faultText(what, error);
  const cause = text.slice(what.length);
  run.later.splice(0, run.later.length, ...run.later.filter((waiting) => !waiting.endsWith(cause)));
  run.world.terminal.warn(text);
}

/** The same, said only when the call ends well. */
export function sayFaultLater(run: Run, what: string, error: unknown): void {
  run.later.push(faultText(what, error));
}

/** Throws what is no error of ours. */
function faultText(what: string, error: unknown): string {
  if (!isOidcError(error)) throw error;
  return `${what}: ${error.message}${error.reason === undefined ? "" : ` (${error.reason})`} [${error.code}]; ${error.hint}`;
}
