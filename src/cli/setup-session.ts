import { getToken } from "../app/get-token.ts";
import { logInNow } from "../app/log-in-now.ts";
import type { Run } from "../app/world.ts";
import { type ExpectedUser, expectedUser, type UserMapping } from "../core/administrator.ts";
import { groupsClaimOf, overflows } from "../core/checks/token.ts";
import { decodeJwt } from "../core/id-token.ts";
import { presetOf, type PresetName } from "../core/presets.ts";
import type { CredentialRecord } from "../core/session.ts";
import { textsOf } from "../core/token-proof.ts";
import { isOidcError, type OidcError } from "../errors/oidc-error.ts";
import type { Call } from "./call.ts";
import { audiencesOfSession } from "./session-audiences.ts";

/** The token that the cluster will get; `fault`: why there is none. */
export type SetupToken = { readonly credential: CredentialRecord; readonly fault?: undefined } | { readonly credential: undefined; readonly fault: OidcError };

/** That of the session, when there is one that works; else, when a person may be asked, that of one login. The codes of a typed login. */
export async function setupToken(call: Call, run: Run): Promise<SetupToken> {
  const mayLogIn = call.invocation.flags["dry-run"] !== true && run.settings.nonInteractive !== true;
  try {
    return { credential: await getToken(run, { interactive: false, wasRefused: false, origin: { command: "get-token", mayPrompt: false } }) };
  } catch (error) {
    // Whoever must log in (20) is asked to, and so is the session that the issuer gives no token for this audience; a network that fails is no
    // reason to. A stanza for a machine may be written on another one.
    const isElsewhere = isOidcError(error) && error.code === "SUBJECT_TOKEN_INVALID";
    const needsLogin = isOidcError(error) && (error.exitStatus === 20 || error.code === "SCOPE_REJECTED");
    if (!isOidcError(error) || error.code === "INTERRUPTED" || (mayLogIn && !needsLogin && !isElsewhere)) throw error;
    if (!mayLogIn || isElsewhere) return { credential: undefined, fault: error };
  }
  const { terminal } = call.machine;
  const mayPrompt = terminal.stdinIsTerminal && terminal.stderrIsTerminal;
  return { credential: await logInNow(run, { mayPrompt, interactive: true, events: undefined, audiences: () => audiencesOfSession(call, run) }) };
}

/** How the API server will see the token, as far as flags, preset and the token itself tell. */
export interface Seen {
  readonly mapping: UserMapping;
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  readonly expected: ExpectedUser | undefined;
  readonly warnings: readonly string[];
}

export function seenUser(call: Call, run: Run, preset: PresetName, { credential }: SetupToken): Seen {
  const { settings } = run;
  const text = (name: string) => (typeof call.invocation.flags[name] === "string" ? (call.invocation.flags[name] as string) : undefined);
  const decoded = credential === undefined ? undefined : decodeJwt(credential.token);
  const claims = decoded?.claims;
  const warnings: string[] = [];
  const usual = presetOf(preset);
  const usernameClaim = text("username-claim") || usualName(usual.usernameClaim, claims);
  const usualGroups = usual.groupsClaim;
  // What the token has counts more than what its kind of issuer usually sends.
  const found = claims === undefined || (usualGroups !== undefined && claims[usualGroups] !== undefined) ? undefined : groupsClaimOf(claims);
  const groupsClaim = text("groups-claim") ?? found ?? usualGroups;
  const mapping: UserMapping = {
    issuer: settings.issuer,
    audiences: audiencesFor(settings, textsOf(claims?.["aud"])),
    usernameClaim,
    // As the API server's flag: a dash means none. In its configuration file it would be a dash.
    usernamePrefix: text("username-prefix") === "-" ? "" : (text("username-prefix") ?? "oidc:"),
    groupsClaim: groupsClaim === "" ? undefined : groupsClaim,
    groupsPrefix: text("groups-prefix") ?? "oidc:",
    algorithm: typeof decoded?.header["alg"] === "string" ? decoded.header["alg"] : undefined,
    authority: call.machine.authorityOf(settings),
  };
  const expected = claims === undefined ? undefined : expectedUser(mapping, claims);
  if (expected !== undefined && expected.username === undefined)
    warnings.push("the token lacks the claim of the user name: an API server that is set up so refuses it; --username-claim names another");
  if (claims?.["email_verified"] === false && usernameClaim === "email")
    warnings.push("email_verified is false: an API server refuses a token whose e-mail address is the user name; --username-claim names another");
  if (claims !== undefined && overflows(claims))
    warnings.push("the token does not hold the groups but says where to ask for them: there are too many; let the issuer send only those assigned to this application");
  else if (expected !== undefined && mapping.groupsClaim !== undefined && expected.groups.length === 0)
    warnings.push("the token holds no groups: bind the user name, or have the issuer send them");
  if (!settings.issuer.startsWith("https:")) warnings.push("an API server takes https issuers only; this one is for tests");
  return { mapping, claims, expected, warnings };
}

/**
 * The audiences that the API server is to take: those that were asked for, as far as the token has them, and nothing beside them; a token for
 * every cluster of the client would open a server that names the client too.
 */
function audiencesFor({ audiences, clientId }: Run["settings"], ofToken: readonly string[] | undefined): readonly string[] {
  if (audiences.length === 0) return ofToken === undefined || ofToken.includes(clientId) ? [clientId] : ofToken;
  const both = audiences.filter((audience) => ofToken?.includes(audience));
  return both.length > 0 ? both : audiences;
}

/** An e-mail address that nobody confirmed is no name (protocol.md AP-06); every token has a sub. */
function usualName(claim: string, claims: Readonly<Record<string, unknown>> | undefined): string {
  if (claims === undefined) return claim;
  const isUsable = typeof claims[claim] === "string" && !(claim === "email" && claims["email_verified"] === false);
  return isUsable ? claim : "sub";
}
