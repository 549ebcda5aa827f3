import { isFresh, isUsable } from "../core/exec-credential.ts";
import { namesAnotherIdentity } from "../core/id-token.ts";
import { checkRefreshed } from "../core/refreshed-token.ts";
import { secret } from "../core/secret.ts";
import { type CredentialRecord, loginOf, type SecretItem } from "../core/session.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { TokenAnswer } from "../ports.ts";
import { compareAccount } from "./compare-account.ts";
import { sayNarrowed } from "./granted-scope.ts";
import { type Keeper, keeper, sayFaultLater } from "./keep-session.ts";
import { checkProof } from "./login-proof.ts";
import { forgetOutcome } from "./refresh-outcome.ts";
import { type Run, seconds } from "./world.ts";

/** What came of a refresh. */
export type Refreshed =
  | { readonly kind: "token"; readonly credential: CredentialRecord }
  /** Nothing to refresh with. */
  | { readonly kind: "none" }
  /** These settings want a new login, whatever the issuer allows (`whyNewLogin`); the session is untouched. */
  | { readonly kind: "outdated"; readonly why: string }
  /** The issuer refused the refresh token; it is gone. */
  | { readonly kind: "refused" }
  /** A fault; the session is untouched. `error` is one of ours. */
  | { readonly kind: "fault"; readonly error: unknown };

/** Checks a verified answer against the session that it is for, and promotes it. ACCOUNT_MISMATCH, ID_TOKEN_INVALID, those of `promote`. */
export async function accept(run: Run, keep: Keeper, answer: TokenAnswer, item: SecretItem): Promise<Refreshed> {
  // OIDC Core 12.2: the subject must not change; the library does not compare it.
  const saysWho = answer.idToken !== undefined || run.settings.audiences.length === 0;
  if (saysWho && item.subject !== undefined && answer.claims["sub"] !== item.subject) {
    return fail("ACCOUNT_MISMATCH", { message: "the issuer answered the refresh with a token for another subject; the session was removed" });
  }
  // Of a login that could not be judged at once; its account was not compared either, below.
  if (item.pending?.ofNewLogin === true) checkProof(run, answer, item.pending.newLogin?.authenticatedSince);
  if (answer.idToken !== undefined) checkRefreshed(answer.claims, loginOf(item), seconds(run.world));
  sayNarrowed(run, ["openid", ...run.settings.scopes], answer);
  // A login whose answer could not be judged at once has no subject yet; its account was not compared either.
  if (item.subject === undefined) compareAccount(run, answer.claims);
  return { kind: "token", credential: await keep.promote(answer, { isLogin: false, offlineRefused: false }) };
}

/** Another issuer, client or person than the session's, by the answer's own words (architecture.md, rule 6). */
export const isForeign = ({ settings }: Run, item: SecretItem, body: string) =>
  namesAnotherIdentity(body, { issuer: settings.issuer, clientId: settings.clientId, subject: item.subject });

/** As `dropForeign`; throws ACCOUNT_MISMATCH. */
export async function failForeign(run: Run, keep: Keeper, received: string | undefined): Promise<never> {
  await dropForeign(run, keep, received);
  return fail("ACCOUNT_MISMATCH", { message: "the issuer's answer was for somebody else; the session was removed" });
}

/** The issuer answered for somebody else: neither generation can be trusted any more, and what came is revoked. */
export async function dropForeign(run: Run, keep: Keeper, received: string | undefined): Promise<void> {
  await keep.dropBoth();
  if (received !== undefined) await (await run.world.provider()).revoke(secret(received)).catch(() => false);
}

/** What an answer is whose fault lies in itself. */
const unusableForGood: ReadonlySet<string> = new Set(["ID_TOKEN_INVALID", "ID_TOKEN_MISSING", "POLICY_NOT_MET"]);

/** An answer that a passing fault kept from being judged is judged before any new refresh (architecture.md, rule 6). */
export async function judgePending(run: Run, item: SecretItem): Promise<Refreshed | { readonly kind: "go-on"; readonly item: SecretItem }> {
  const body = item.pending?.body ?? "";
  const keep = keeper(run, item, "refresh");
  if (isForeign(run, item, body)) return failForeign(run, keep, item.pending?.refreshToken);
  try {
    const provider = await run.world.provider(item.sealKey);
    const answer = await provider.judgeAgain(secret(body));
    const accepted = await accept(run, keep, answer, item);
    if (accepted.kind === "token") forgetOutcome(run);
    if (accepted.kind === "token" && isFresh(accepted.credential, run.settings.minValidity, seconds(run.world)) && !run.settings.forceRefresh) return accepted;
    try {
      return { kind: "go-on", item: (await run.world.secrets.read(run.session.itemName)) ?? item };
    } catch (error) {
      // A store that hangs from here on: what was judged is good for this call.
      if (accepted.kind !== "token" || !isOidcError(error) || !isUsable(accepted.credential, seconds(run.world))) throw error;
      sayFaultLater(run, "the session could not be refreshed once more", error);
      return accepted;
    }
  } catch (error) {
    if (isOidcError(error) && error.code === "ACCOUNT_MISMATCH") await dropForeign(run, keep, item.pending?.refreshToken);
    // Expired meanwhile, for one: no later look makes it better, and its refresh token is the newest all the same.
    if (isOidcError(error) && unusableForGood.has(error.code)) return { kind: "go-on", item };
    throw error;
  }
}
