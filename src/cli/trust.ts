import { changeServers, trustedServers } from "../app/trusted-servers.ts";
import type { Run } from "../app/world.ts";
import { describeAuthority, differenceFrom, isSameServer, withoutOrigin, withServer } from "../core/server-trust.ts";
import { serverOrigin } from "../core/exec-info.ts";
import type { TrustedServer } from "../core/session.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import { type Call, openRun } from "./call.ts";
import { tableText, writeData, writeJson } from "./output.ts";
import { type Gathered, gatherForPerson } from "./sources.ts";

/** Lists, adds and removes the API servers that the session may be used with (cli.md M9, M17). Makes no request. */
export async function trustCommand(call: Call): Promise<void> {
  const [action = "list", url] = call.invocation.words;
  // What is wrong on the command line is said before what is wrong elsewhere.
  if (action === "list" && url !== undefined) fail("FLAG_INVALID", { message: "trust list takes no server" });
  if (action === "remove" && url === undefined) fail("FLAG_INVALID", { message: "trust remove needs the URL of a server", hint: "run: kubectl oidc trust list" });
  const asked = url === undefined ? undefined : originOf(url);
  if (action === "add" && asked === undefined && call.invocation.context === undefined)
    fail("FLAG_INVALID", { message: "trust add needs the URL of a server, or --context NAME", hint: "run: kubectl oidc trust add --context NAME" });
  const gathered = gatherForPerson(call.machine, call.env, call.invocation);
  const run = openRun(call, gathered, { mayPrompt: false, server: undefined });
  const { terminal } = call.machine;
  if (action === "list") return tell(call, run, await trustedServers(run));
  if (action === "add") {
    const { server, from } = serverToAdd(call, gathered, asked);
    const before = { isKnown: false };
    const servers = await changeServers(run, (known) => {
      before.isKnown = known.some((other) => isSameServer(other, server));
      const difference = differenceFrom(known, server);
      if (difference !== undefined && !before.isKnown) terminal.warn(`${safeText(server.origin, 120)} is on the list already; this one has ${difference}`);
      return withServer(known, server);
    });
    terminal.say(
      `kubectl-oidc: ${of(run)} may be used with ${safeText(server.origin, 120)}, certificate authority ${describeAuthority(server)}${from}${before.isKnown ? ": it was on the list already" : ""}`,
    );
    return call.invocation.output === "json" ? tell(call, run, servers) : undefined;
  }
  const origin = asked ?? "";
  const before = await trustedServers(run);
  const isKnown = before.some((known) => known.origin === origin);
  const servers = isKnown ? await changeServers(run, (known) => withoutOrigin(known, origin)) : before;
  const shown = safeText(origin, 120);
  terminal.say(`kubectl-oidc: ${isKnown ? `${of(run)} may not be used with ${shown} any more` : `${shown} was not on the list of servers of ${of(run)}`}`);
  if (servers.length === 0) terminal.warn("the list of servers is empty now: the session may be used with any server until one is added");
  return call.invocation.output === "json" ? tell(call, run, servers) : undefined;
}

const of = (run: Run) => `the session of ${shownUrl(run.settings.issuer)} as client ${safeText(run.settings.clientId, 80)}`;

async function tell(call: Call, run: Run, servers: readonly TrustedServer[]): Promise<void> {
  const { issuer, clientId } = run.settings;
  if (call.invocation.output === "json") {
    const account = run.session.identity.account ?? run.session.record?.displayName ?? null;
    return writeJson({
      issuer,
      clientId,
      account,
      servers: servers.map((server) => ({
        server: server.origin,
        tlsServerName: server.tlsServerName ?? null,
        certificateAuthority: describeAuthority(server),
        proxy: server.proxy ?? null,
      })),
    });
  }
  if (servers.length === 0) return call.machine.terminal.say(`kubectl-oidc: ${of(run)} has no list of servers: any may use it until one is added`);
  const rows = servers.map((server) => [server.origin, server.tlsServerName ?? "-", describeAuthority(server), server.proxy ?? "-"].map((cell) => safeText(cell, 120)));
  return writeData(tableText([["SERVER", "TLS NAME", "CERTIFICATE AUTHORITY", "PROXY"], ...rows]));
}

/**
 * The server of `trust add`: the context's, or the URL's with what a context of the kubeconfig says of it, since a URL names neither a
 * certificate authority nor a proxy. `from` says whose words these are: a kubeconfig can come from anybody.
 */
function serverToAdd(call: Call, gathered: Gathered, origin: string | undefined): { readonly server: TrustedServer; readonly from: string } {
  const { context } = call.invocation;
  const ofContext = context === undefined ? undefined : gathered.server;
  const byContext = ` (context ${safeText(context, 60)})`;
  if (origin === undefined) {
    if (ofContext === undefined)
      return fail("SETTINGS_INVALID", {
        message: `the cluster of the context ${safeText(context, 60)} names no server that can be used`,
        hint: "check the context's cluster in the kubeconfig",
      });
    return { server: ofContext, from: byContext };
  }
  if (ofContext?.origin === origin) return { server: ofContext, from: byContext };
  const known = contextsOf(call).flatMap(({ server, contextName }) => (server?.origin === origin ? [{ server, contextName }] : []));
  const [first] = known;
  if (first === undefined) return { server: { origin, authority: "system" }, from: "" };
  if (known.some(({ server }) => !isSameServer(server, first.server))) {
    return fail("SETTINGS_INCOMPLETE", {
      message: `the contexts of the kubeconfig do not agree about ${safeText(origin, 120)}`,
      hint: "run: kubectl oidc trust add --context NAME",
    });
  }
  return { server: first.server, from: ` (context ${safeText(first.contextName, 60)})` };
}

/** Without a kubeconfig there is nothing that it says. */
function contextsOf(call: Call): ReturnType<Call["machine"]["contexts"]> {
  try {
    return call.machine.contexts({ kubeconfig: call.invocation.kubeconfig });
  } catch (error) {
    if (isOidcError(error) && call.invocation.kubeconfig === undefined) return [];
    throw error;
  }
}

/** FLAG_INVALID for what is no server's URL: kubectl runs no plugin for http, and user info never belongs there. */
function originOf(url: string): string {
  return (
    serverOrigin(url) ??
    fail("FLAG_INVALID", { message: "the server must be an https URL without a user name", hint: "as in: kubectl oidc trust add https://k8s.example.com:6443" })
  );
}
