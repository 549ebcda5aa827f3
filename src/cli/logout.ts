import { logOut } from "../app/log-out.ts";
import type { Run } from "../app/world.ts";
import { resolveSettings } from "../core/settings.ts";
import type { SessionRecord } from "../core/session.ts";
import { openableUrlOf, safeText, shownUrl } from "../core/untrusted-text.ts";
import { isOidcError } from "../errors/oidc-error.ts";
import { sessionContexts, sourcesOfRecord } from "./sessions.ts";
import { type Call, openRun, refuseUnsafeEnvironment } from "./call.ts";
import { type Gathered, gatherForPerson } from "./sources.ts";

/** Revokes and deletes the session that is meant, or with `--all` every stored one. Nothing stored is no error. */
export async function logoutCommand(call: Call): Promise<void> {
  refuseUnsafeEnvironment(call.env);
  const { flags, options, context, kubeconfig } = call.invocation;
  const all = flags["all"] === true;
  const selects = context !== undefined || kubeconfig !== undefined || options["oidc-issuer-url"] !== undefined;
  if (all && !selects) return logOutEverywhere(call);
  const gathered = gatherForPerson(call.machine, call.env, call.invocation);
  const run = openRun(call, gathered, { mayPrompt: false, server: undefined });
  await logOutOf(call, run, all);
  if (call.invocation.flags["sso"] === true) await endBrowserSession(run);
}

async function logOutOf(call: Call, run: Run, servers: boolean): Promise<void> {
  const outcome = await logOut(run, { servers });
  const { issuer } = run.settings;
  const who = run.session.record?.displayName;
  const said = { revoked: "logged out, and the session is revoked", deleted: "logged out", nothing: "not logged in; there was nothing to delete" }[outcome];
  call.machine.terminal.say(`kubectl-oidc: ${shownUrl(issuer)}${who === undefined ? "" : ` (${safeText(who, 120)})`}: ${said}`);
}

/** One session that fails does not keep the others: the first fault is thrown at the end. */
async function logOutEverywhere(call: Call): Promise<void> {
  const sessions = sessionContexts(call);
  let fault: unknown;
  for (const { record, folder, contexts } of sessions) {
    try {
      const run = runOf(call, record, folder, contexts[0]?.gathered);
      await logOutOf(call, run, true);
      if (call.invocation.flags["sso"] === true) await endBrowserSession(run);
    } catch (error) {
      if (!isOidcError(error) || error.code === "INTERRUPTED") throw error;
      call.machine.terminal.warn(`${shownUrl(record.identity.issuer)}: ${error.message} [${error.code}]`);
      fault ??= error;
    }
  }
  if (sessions.length === 0) call.machine.terminal.say("kubectl-oidc: not logged in; there was nothing to delete");
  if (fault !== undefined) throw fault;
}

/** The session as its context sees it (client secret, CA, proxy), else as its record does. */
function runOf(call: Call, record: SessionRecord, folder: string, gathered: Gathered | undefined): Run {
  const sources = gathered?.sources ?? sourcesOfRecord(record, call.invocation.options);
  const resolved = call.machine.withPaths(resolveSettings(sources));
  const settings = { ...resolved, storage: record.identity.storage, cacheDirectory: folder };
  const session = { identity: record.identity, key: record.key, itemName: record.itemName, credentialKey: "", record };
  return {
    world: call.machine.world(settings, { mayPrompt: false, signal: call.signal, undisturbed: call.undisturbed }, record.itemName),
    settings,
    session,
    server: undefined,
    signal: call.signal,
    later: [],
  };
}

/**
 * OpenID Connect RP-Initiated Logout 1.0 in the person's browser: client_id and logout_hint only, never a token in a URL.
 * A fault is said, not thrown: the session here is gone.
 */
async function endBrowserSession(run: Run): Promise<void> {
  const { world, settings, session } = run;
  try {
    const { endSessionEndpoint } = await (await world.provider()).facts();
    if (endSessionEndpoint === undefined) return world.terminal.warn("the issuer offers no logout page (end_session_endpoint)");
    const address = new URL(endSessionEndpoint);
    address.searchParams.set("client_id", settings.clientId);
    const hint = session.identity.account ?? session.record?.displayName;
    if (hint !== undefined) address.searchParams.set("logout_hint", hint);
    const url = openableUrlOf(settings.issuer, address.href);
    if (url === undefined) return world.terminal.warn("the issuer's logout page (end_session_endpoint) is not an https URL and is not opened");
    world.terminal.say(`kubectl-oidc: end the browser's session here: ${url}`);
    if (!settings.skipOpenBrowser && world.browser.available()) await world.browser.open(url);
  } catch (error) {
    if (!isOidcError(error)) throw error;
    world.terminal.warn(`the browser's session could not be ended: ${error.message} [${error.code}]`);
  }
}
