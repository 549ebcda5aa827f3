import { browserPathLines } from "../core/browser-path.ts";
import { readPasted } from "../core/callback.ts";
import { displayName } from "../core/id-token.ts";
import { firstRedirectUri } from "../core/logout-page.ts";
import { isLoopbackHost, shownUrl } from "../core/untrusted-text.ts";
import { fail, isOidcError, oidcErrorWithin } from "../errors/oidc-error.ts";
import type { ResultPage } from "../core/result-page.ts";
import type { StartedAuthorization } from "../core/started-authorization.ts";
import type { AuthorizationRequest, CallbackListener, OpenIdProvider, TokenAnswer } from "../ports.ts";
import { announcement, type FlowContext, hasOwnLines, waitingLine, whileWaiting } from "./flow-context.ts";

const browserWait = "your browser";

/** Settles once: with the first query that came, from the browser or from the person's hands. */
type Answered = { readonly query: string; readonly by: "browser" | "person" };

/**
 * Authorization code with PKCE over a loopback listener (RFC 8252). The browser's page is written after the tokens are
 * stored, so that page and terminal never disagree. PORTS_IN_USE, LOGIN_TIMED_OUT, LOGIN_DENIED and the provider's codes.
 */
export async function browserFlow(context: FlowContext): Promise<TokenAnswer> {
  const { run, provider, request } = context;
  const { world, settings } = run;
  const state = provider.randomState();
  const listener = await world.callbacks.listen({
    addresses: settings.listenAddresses,
    redirectUrl: settings.redirectUrl,
    certificateFile: settings.localServerCert,
    keyFile: settings.localServerKey,
    openAfter: settings.openAfter,
    formPost: settings.extraParams["response_mode"] === "form_post",
    state,
  });
  let page: ResultPage | undefined;
  try {
    const started = await provider.startAuthorization({ redirectUri: listener.redirectUri, scope: request.scope, ...boundRequest(context), state });
    context.opened();
    await showUrl(context, started, listener);
    const { query } = await firstAnswer(context, listener, started).catch((error: unknown) => failLate(context, started, error));
    try {
      const answer = await exchangeAndKeep(context, provider, started, listener.redirectUri, query);
      const account = displayName(answer.claims);
      page = { ok: true, issuer: shownUrl(settings.issuer), ...(account === undefined ? {} : { account }) };
      return answer;
    } catch (error) {
      page = failurePage(settings.issuer, error);
      throw error;
    }
  } catch (error) {
    page ??= failurePage(settings.issuer, error);
    throw error;
  } finally {
    await listener.finish(page);
  }
}

/** Names the key that alone can have the code exchanged (RFC 9449, section 10). */
function boundRequest({ request, binding }: FlowContext): Pick<AuthorizationRequest, "extra" | "dpopKey"> {
  if (binding === undefined) return { extra: request.extra };
  return { extra: [...request.extra.filter(([name]) => name !== "dpop_jkt"), ["dpop_jkt", binding.thumbprint]], dpopKey: binding.key };
}

/** The person pastes the code or the whole redirected URL (`authcode-keyboard`). */
export async function keyboardFlow(context: FlowContext): Promise<TokenAnswer> {
  const { run, provider, request } = context;
  const { world, settings } = run;
  const redirectUri = settings.redirectUrl ?? firstRedirectUri(settings.listenAddresses);
  const started = await provider.startAuthorization({ redirectUri, scope: request.scope, ...boundRequest(context), state: provider.randomState() });
  if (!world.terminal.stdinIsTerminal)
    fail("LOGIN_REQUIRED", { message: "authcode-keyboard needs a terminal to read the code from", hint: "run it on a terminal, or choose another --grant-type" });
  context.opened();
  await showUrl(context, started);
  const query = await pasted(context, started, context.signal, undefined);
  return exchangeAndKeep(context, provider, started, redirectUri, query);
}

/**
 * The URL is always printed: a browser that opens may be another one than the person wants. Without a listener nothing is opened: the person brings the answer.
 */
async function showUrl(context: FlowContext, { url, expiresIn }: StartedAuthorization, listener?: CallbackListener): Promise<void> {
  const { run, manners } = context;
  const { terminal, browser } = run.world;
  const opens = listener !== undefined && !run.settings.skipOpenBrowser && browser.available();
  context.events?.({ event: "url", url });
  terminal.say(announcement(context));
  const lead = `kubectl-oidc: ${opens && manners === "full" ? "a browser opens now; if none does, " : ""}open this URL in your browser:`;
  for (const line of hasOwnLines(context) ? [lead, url] : [`${lead} ${url}`]) terminal.say(line);
  if (isShort(context, expiresIn)) terminal.say(`kubectl-oidc: open it within ${expiresIn} s; the issuer does not know it any more after that`);
  if (listener !== undefined) await sayPath(context, listener, opens);
  if (manners === "full" && run.settings.qr) terminal.warn("--qr is for device codes; add --grant-type=device-code");
  if (opens && !(await browser.open(url))) terminal.warn("no browser could be started; open the URL above by hand");
}

/** A pushed request (RFC 9126) that ends before the login's own time: who opens it then sees an error of the issuer, and we hear nothing. */
const isShort = ({ run }: FlowContext, expiresIn: number | undefined): boolean => expiresIn !== undefined && expiresIn < run.settings.authenticationTimeout;

/** The issuer's page said so to whoever opened it late; here it looks as if nobody had. */
function failLate(context: FlowContext, { expiresIn }: StartedAuthorization, error: unknown): never {
  if (!isOidcError(error) || error.code !== "LOGIN_TIMED_OUT" || !isShort(context, expiresIn)) throw error;
  return fail("LOGIN_TIMED_OUT", { message: error.message, reason: `the issuer knew the URL for ${expiresIn} s only`, hint: error.hint }, error);
}

/** How a browser elsewhere comes to our port; under kubectl only where nothing works without it. */
async function sayPath(context: FlowContext, { redirectUri, port }: CallbackListener, opens: boolean): Promise<void> {
  const { world, settings } = context.run;
  const where = world.surroundings();
  if (context.manners !== "full" && where.kind !== "ssh") return;
  const { supportsDevice } = await context.provider.facts();
  const isOpen = settings.listenAddresses.some((address) => !isLoopbackHost(address.slice(0, address.lastIndexOf(":"))));
  for (const line of browserPathLines(where, { redirectUri, port, opens, mayPaste: context.offerPaste, isOpen, supportsDevice })) {
    world.terminal.say(line.startsWith(" ") && !hasOwnLines(context) ? `kubectl-oidc: ${line.trimStart()}` : line);
  }
}

/** Waits for the browser; beside it, in `login` on a terminal, for a paste. */
async function firstAnswer(context: FlowContext, listener: CallbackListener, started: StartedAuthorization): Promise<Answered> {
  const other = new AbortController();
  const signal = AbortSignal.any([context.signal, other.signal]);
  const fromBrowser = listener.next(signal).then((query): Answered => ({ query, by: "browser" }));
  if (!context.offerPaste) return whileWaiting(context, browserWait, context.endsAt, () => timed(context, fromBrowser));
  const fromPerson = pasted(context, started, signal, browserWait).then((query): Answered => ({ query, by: "person" }));
  fromPerson.catch(() => undefined);
  fromBrowser.catch(() => undefined);
  try {
    return await timed(context, Promise.race([fromBrowser, fromPerson]));
  } finally {
    other.abort();
  }
}

async function timed<T>(context: FlowContext, wait: Promise<T>): Promise<T> {
  try {
    return await wait;
  } catch (error) {
    throw context.timeoutOr(error);
  }
}

/** `beside`: what is waited for at the same time. */
async function pasted(context: FlowContext, started: StartedAuthorization, signal: AbortSignal, beside: string | undefined): Promise<string> {
  const { terminal } = context.run.world;
  const above = context.manners === "full" ? waitingLine(context, beside ?? "what your browser shows", context.endsAt) : undefined;
  for (;;) {
    let text: string;
    try {
      text = await terminal.ask(`kubectl-oidc: ${beside === undefined ? "" : "or "}paste the code or the whole redirected URL here: `, { hidden: false, signal, above });
    } catch (error) {
      throw context.timeoutOr(error);
    }
    const read = readPasted(text, started.state, context.run.settings.issuer);
    if (read.kind === "query") return read.query;
    terminal.say(
      read.kind === "wrong-state" ? "kubectl-oidc: that belongs to another login; use the URL of this one" : "kubectl-oidc: that is neither a code nor a redirected URL",
    );
  }
}

/** The code is spent by the request: what it brings is stored before anything may end us. */
function exchangeAndKeep(context: FlowContext, provider: OpenIdProvider, started: StartedAuthorization, redirectUri: string, query: string): Promise<TokenAnswer> {
  const { settings, world } = context.run;
  return world.undisturbed(async () => {
    const checks = { maxAge: settings.maxAge, extra: context.request.resources, dpopKey: context.binding?.key };
    const answer = await provider.exchangeCode(started, redirectUri, query, checks, context.before);
    await context.keep(answer);
    return answer;
  });
}

function failurePage(issuer: string, error: unknown): ResultPage | undefined {
  const ours = oidcErrorWithin(error);
  return isOidcError(ours)
    ? { ok: false, issuer: shownUrl(issuer), code: ours.code, message: ours.reason === undefined ? ours.message : `${ours.message}: ${ours.reason}`, hint: ours.hint }
    : undefined;
}
