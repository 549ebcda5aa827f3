import { checkAccount } from "../core/id-token.ts";
import { credentialKey } from "../core/keys.ts";
import { mayBeUsedWith, withServer } from "../core/server-trust.ts";
import type { CredentialRecord, SecretItem, SessionRecord } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { LoginOrigin } from "./flow-context.ts";
import { sayNarrowed } from "./granted-scope.ts";
import { keeper, readCredential } from "./keep-session.ts";
import { machineAnswer } from "./machine-grants.ts";
import { failServer } from "./refresh-lock.ts";
import { type Run, seconds } from "./world.ts";

/**
 * The login of a machine: its grant, judged and cached, under the login lock that the caller holds. Nobody is asked, no browser and no keychain
 * is needed, and what it spends can be had again. `item`: the session's server list, if there is one. The codes of `machineAnswer`;
 * ACCOUNT_MISMATCH, SERVER_NOT_TRUSTED.
 */
export async function logInMachine(run: Run, origin: Pick<LoginOrigin, "command">, item: SecretItem | undefined): Promise<CredentialRecord> {
  try {
    return await logIn(run, origin, item);
  } catch (error) {
    if (!isOidcError(error) || error.code !== "SERVER_NOT_TRUSTED") await run.world.audit?.refused(run, error, run.settings.grant);
    throw error;
  }
}

async function logIn(run: Run, origin: Pick<LoginOrigin, "command">, item: SecretItem | undefined): Promise<CredentialRecord> {
  const { world, settings, session } = run;
  for (const warning of settings.warnings) world.terminal.warn(warning);
  if (settings.dpop === "always") fail("FLAG_CONFLICT", { message: `--dpop=always binds a person's session, and --grant-type=${safeText(settings.grant, 40)} has none` });
  const keep = keeper(run, await withKnownServers(run, item), "login");
  // A refresh token has no place here (RFC 6749, section 4.4.3; protocol.md X-04).
  const answer = { ...(await machineAnswer(run)), refreshToken: undefined };
  // Its tokens seldom have names: then the account only tells sessions apart.
  checkAccount(answer.claims, settings.account);
  // The list can have been made meanwhile: kubectl may not add to one that is there (cli.md M9).
  if (origin.command === "get-token" && !mayBeUsedWith(keep.servers, run.server)) failServer(run, keep.servers);
  sayNarrowed(run, settings.scopes, answer);
  const credential = await keep.promote(answer, { isLogin: true, offlineRefused: false, grant: settings.grant });
  if (session.identity.machine !== undefined) await forgetEnded(run);
  return credential;
}

/** A machine's session is its token: the servers that the former one was for are those of the next. */
async function withKnownServers(run: Run, item: SecretItem | undefined): Promise<SecretItem | undefined> {
  const former = (await readCredential(run).catch(() => undefined))?.servers ?? [];
  if (former.length === 0) return item;
  return { schema: 1, trust: run.world.trust(), ...item, servers: former.reduce(withServer, item?.servers ?? []) };
}

/** Seconds after the end of a machine's token: its job is over, or asks anew. */
const keptAfterEnd = 3_600;

/** Each job has sessions of its own, which nobody logs out: on a runner that lives on they would pile up. Best effort. */
async function forgetEnded(run: Run): Promise<void> {
  const { world, settings, session } = run;
  if (settings.idTokenCache !== "disk") return;
  const isEnded = (record: SessionRecord) =>
    record.identity.machine !== undefined && record.key !== session.key && Date.parse(record.tokenExpiresAt ?? "") / 1000 < seconds(world) - keptAfterEnd;
  try {
    for (const { key, itemName } of world.sessions.list().filter(isEnded)) {
      await world.credentials.removeAllOf(key);
      const notes = credentialKey(key, settings.audiences, settings.useAccessToken).slice(0, 16);
      for (const name of world.files.list("asked")) if (name.startsWith(notes)) world.files.remove(`asked/${name}`);
      world.files.remove(`refreshes/${key}.json`);
      await world.secrets.remove(itemName);
      world.sessions.remove(key);
    }
  } catch {
    world.terminal.log(1, "ended sessions of machines could not be removed");
  }
}
