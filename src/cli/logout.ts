import { type LoggedOut, logOut } from "../app/log-out.ts";
import type { Run } from "../app/world.ts";
import { resolveSettings } from "../core/settings.ts";
import type { SessionRecord } from "../core/session.ts";
import { firstRedirectUri, logoutPage } from "../core/logout-page.ts";
import { openableUrlOf, shownUrl } from "../core/untrusted-text.ts";
import { isOidcError } from "../errors/oidc-error.ts";
import { countLine, logoutLines } from "./logout-text.ts";
import { contextsWithSessions, sourcesOfRecord, surveySessions } from "./sessions.ts";
import { type Call, openRun, refuseUnsafeEnvironment } from "./call.ts";
import { auditFolderOf, type Gathered, gatherForPerson } from "./sources.ts";

/** Revokes and deletes the session that is meant, or with `--all` every stored one. Nothing stored is no error. */
export async function logoutCommand(call: Call): Promise<void> {
  refuseUnsafeEnvironment(call.env);
  const { flags, options, context, kubeconfig } = call.invocation;
  const all = flags["all"] === true;
  const sso = flags["sso"] === true;
  const selects = context !== undefined || kubeconfig !== undefined || options["oidc-issuer-url"] !== undefined;
  if (all && !selects) return logOutEverywhere(call);
  const gathered = gatherForPerson(call.machine, call.env, call.invocation);
  const run = openRun(call, gathered, { mayPrompt: false, server: undefined });
  await logOutOf(call, run, { contexts: contextsOf(call, run), forgetServers: all, sso });
  if (sso) await endBrowserSession(run);
}

interface How {
  readonly contexts: readonly string[];
  readonly forgetServers: boolean;
  readonly sso: boolean;
}

async function logOutOf(call: Call, run: Run, how: How): Promise<LoggedOut> {
  const outcome = await logOut(run, { servers: how.forgetServers });
  const { identity, record } = run.session;
  const lines = logoutLines({
    identity,
    account: identity.account ?? record?.displayName,
    place: run.world.store.describe(),
    outcome,
    contexts: how.contexts,
    kubeconfig: call.invocation.kubeconfig,
    forgotServers: how.forgetServers,
    sso: how.sso,
    now: call.machine.clock.now() / 1000,
  });
  for (const line of lines) call.machine.terminal.say(`kubectl-oidc: ${line}`);
  return outcome;
}

/** Before the logout: afterwards a stanza without an account means another session. A kubeconfig that cannot be read keeps nobody from it. */
function contextsOf(call: Call, { session, settings }: Run): readonly string[] {
  try {
    const folder = call.machine.folderOf(settings);
    return contextsWithSessions(call).contexts.flatMap((context) => (context.key === session.key && context.folder === folder ? [context.name] : []));
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return [];
  }
}

/**
 * Every stored session, and the lists of servers of those that contexts mean and that are not stored. One that fails does not keep the
 * others: the first fault is thrown at the end.
 */
async function logOutEverywhere(call: Call): Promise<void> {
  const { sessions, without } = surveySessions(call);
  const { terminal } = call.machine;
  let fault: unknown;
  const auditFolder = auditFolderOrSay(call);
  const sso = call.invocation.flags["sso"] === true;
  const count = { of: sessions.length, done: 0, revoked: 0 };
  for (const { record, folder, contexts } of sessions) {
    try {
      const run = runOf(call, record, folder, contexts[0]?.gathered, auditFolder);
      const { result } = await logOutOf(call, run, { contexts: contexts.map(({ name }) => name), forgetServers: true, sso });
      count.done++;
      if (result === "revoked") count.revoked++;
      if (sso) await endBrowserSession(run);
    } catch (error) {
      if (!isOidcError(error) || error.code === "INTERRUPTED") throw error;
      terminal.warn(`${shownUrl(record.identity.issuer)}: ${error.message} [${error.code}]`);
      fault ??= error;
    }
  }
  for (const [{ gathered }] of without) await forgetListOf(call, { ...gathered, auditFolder });
  terminal.say(`kubectl-oidc: ${countLine(count)}`);
  if (fault !== undefined) throw fault;
}

/** A configuration file that cannot be read keeps nobody from a logout; that the log says nothing of it is said. */
function auditFolderOrSay({ machine }: Call): string | undefined {
  try {
    return auditFolderOf(machine);
  } catch (error) {
    if (!isOidcError(error)) throw error;
    machine.terminal.warn(`whether there is an audit log cannot be told: ${error.message} [${error.code}]`);
    return undefined;
  }
}

/** A list can be there without a session: made by `trust add`, or left by an earlier logout. A store that fails is said by the logout itself. */
async function forgetListOf(call: Call, gathered: Gathered): Promise<void> {
  try {
    const run = openRun(call, gathered, { mayPrompt: false, server: undefined });
    if (!run.world.store.keeps) return;
    const { result, servers } = await logOut(run, { servers: true });
    if (result !== "nothing" || servers.length > 0)
      call.machine.terminal.say(`kubectl-oidc: ${shownUrl(run.settings.issuer)}: what was left is forgotten, the list of servers too`);
  } catch (error) {
    if (!isOidcError(error) || error.code === "INTERRUPTED") throw error;
    call.machine.terminal.warn(`${error.message} [${error.code}]`);
  }
}

/** The session as its context sees it (client secret, CA, proxy), else as its record does. */
function runOf(call: Call, record: SessionRecord, folder: string, gathered: Gathered | undefined, auditFolder: string | undefined): Run {
  const sources = gathered?.sources ?? sourcesOfRecord(record, call.invocation.options);
  const resolved = call.machine.withPaths(resolveSettings(sources));
  const settings = { ...resolved, storage: record.identity.storage, cacheDirectory: folder };
  const session = { identity: record.identity, key: record.key, itemName: record.itemName, credentialKey: "", record, isWithin: false };
  return {
    world: call.machine.world(settings, { mayPrompt: false, signal: call.signal, undisturbed: call.undisturbed, auditFolder }, record.itemName),
    settings,
    session,
    server: undefined,
    signal: call.signal,
    later: [],
  };
}

/**
 * In the person's browser. A fault is said, not thrown: the session here is gone.
 */
async function endBrowserSession(run: Run): Promise<void> {
  const { world, settings, session } = run;
  try {
    const { endSessionEndpoint } = await (await world.provider()).facts();
    if (endSessionEndpoint === undefined) return world.terminal.warn("the issuer offers no logout page (end_session_endpoint)");
    const redirectUri = settings.redirectUrl ?? firstRedirectUri(settings.listenAddresses);
    const hint = session.identity.account ?? session.record?.displayName;
    const page = logoutPage({ issuer: settings.issuer, endSessionEndpoint, clientId: settings.clientId, hint, redirectUri });
    const url = openableUrlOf(settings.issuer, page);
    if (url === undefined) return world.terminal.warn("the issuer's logout page (end_session_endpoint) is not an https URL and is not opened");
    world.terminal.say(`kubectl-oidc: end the browser's session here: ${url}`);
    if (!settings.skipOpenBrowser && world.browser.available()) await world.browser.open(url);
  } catch (error) {
    if (!isOidcError(error)) throw error;
    world.terminal.warn(`the browser's session could not be ended: ${error.message} [${error.code}]`);
  }
}
