import { type WhoAmI, whoAmI } from "../app/who-am-i.ts";
import type { Run } from "../app/world.ts";
import { rfc3339 } from "../core/exec-credential.ts";
import { displayName } from "../core/id-token.ts";
import { proveToken, type TokenProof, textsOf } from "../core/token-proof.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import { type Call, openRun, refuseUnsafeEnvironment } from "./call.ts";
import { writeData, writeJson } from "./output.ts";
import { type Gathered, gatherForPerson } from "./sources.ts";

/** The claims of the token beside what the API server answers. Never opens a browser. TOKEN_REFUSED, API_SERVER_UNREACHABLE, after the claims. */
export async function whoamiCommand(call: Call): Promise<void> {
  refuseUnsafeEnvironment(call.env);
  const gathered = gatherForPerson(call.machine, call.env, call.invocation);
  const run = openRun(call, gathered, { mayPrompt: false, server: gathered.server });
  const cluster = gathered.context?.cluster;
  const found = await whoAmI(run, cluster === undefined ? undefined : call.machine.apiServer(cluster, call.signal));
  if (call.signal.aborted) fail("INTERRUPTED");
  for (const warning of run.later) run.world.terminal.warn(warning);
  await (call.invocation.output === "json" ? writeJson(jsonOf(run, gathered, found)) : writeData(textOf(run, gathered, found)));
  if (found.fault !== undefined) throw found.fault;
  if (found.review?.kind === "refused")
    fail("TOKEN_REFUSED", {
      message: `${safeText(gathered.server?.origin ?? "the API server", 120)} does not accept the token`,
      reason: "HTTP 401",
      hint: "compare the API server's settings with what this prints: kubectl oidc setup --dry-run",
    });
}

function jsonOf({ settings }: Run, { context, server }: Gathered, { credential, claims, review, fault }: WhoAmI): object {
  const user = review?.kind === "seen" ? review.user : undefined;
  return {
    issuer: settings.issuer,
    clientId: settings.clientId,
    subject: credential.subject,
    account: displayName(claims) ?? null,
    expiresAt: rfc3339(credential.expiresAt),
    claims,
    context: context?.contextName ?? null,
    server: server?.origin ?? null,
    review: review?.kind ?? (fault === undefined ? "not-asked" : "unreachable"),
    user: user === undefined ? null : { username: user.username, uid: user.uid ?? null, groups: user.groups, extra: user.extra },
    sameToken: user === undefined ? null : ({ same: true, other: false, "no-jti": null, "not-said": null } as const)[proveToken(claims, user.extra)],
  };
}

const list = (values: readonly string[] | undefined) => (values === undefined || values.length === 0 ? "none" : values.map((value) => safeText(value, 120)).join(", "));
const timeOf = (claim: unknown) => (typeof claim === "number" && claim >= 0 && claim < 253_402_300_800 ? rfc3339(claim) : "not said");

function textOf({ settings }: Run, { context, server }: Gathered, { credential, claims, review, fault }: WhoAmI): string {
  const own: [string, string][] = [
    ["issuer", safeText(settings.issuer, 200)],
    ["client", safeText(settings.clientId, 120)],
    ["subject", safeText(credential.subject, 255)],
    ["account", safeText(displayName(claims) ?? "not said", 120)],
    ["groups", list(textsOf(claims["groups"]))],
    ["audience", list(textsOf(claims["aud"]))],
    ["issued", timeOf(claims["iat"])],
    ["expires", rfc3339(credential.expiresAt)],
  ];
  if (context === undefined) return linesOf(["The token says:", ...indent(own)]);
  const there: [string, string][] = [
    ["context", safeText(context.contextName, 120)],
    ["server", safeText(server?.origin ?? "not said", 200)],
    ...(review?.kind === "seen"
      ? ([
          ["user name", safeText(review.user.username, 255)],
          ["groups", list(review.user.groups)],
          ["token", proofText(proveToken(claims, review.user.extra))],
        ] as [string, string][])
      : ([["answer", review === undefined ? noAnswer(fault !== undefined) : review.kind === "refused" ? "the token is refused (401)" : unanswered(review.status)]] as [
          string,
          string,
        ][])),
  ];
  return linesOf(["The token says:", ...indent(own), "The API server says:", ...indent(there)]);
}

const noAnswer = (isFault: boolean) => (isFault ? "cannot be reached" : "not asked: the cluster of this context names no server that can be used");
const unanswered = (status: number) => `does not say (${status}): SelfSubjectReview needs Kubernetes 1.26, and the permission that system:basic-user gives`;
const indent = (rows: readonly (readonly [string, string])[]) => rows.map(([name, value]) => `  ${name.padEnd(10)}${value}`);
const linesOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");

function proofText(proof: TokenProof): string {
  switch (proof) {
    case "same":
      return "this very token (its jti is the credential-id that the server saw)";
    case "other":
      return "another credential: the credential-id that the server saw is not this token's jti";
    case "no-jti":
      return "not proved: the token has no jti";
    case "not-said":
      return "not proved: the server names no credential-id (it does since Kubernetes 1.32)";
    default:
      return proof satisfies never;
  }
}
