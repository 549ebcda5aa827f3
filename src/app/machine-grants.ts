import { decodeJwt } from "../core/id-token.ts";
import { accessTokenType, idTokenType, tokenType } from "../core/issued-token.ts";
import type { Secret } from "../core/secret.ts";
import type { Settings } from "../core/settings.ts";
import { needsSubject, subjectLabel, type SubjectSource } from "../core/subject-source.ts";
import { judgeSubject } from "../core/subject-token.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { TokenAnswer } from "../ports.ts";
import { type Run, seconds } from "./world.ts";

/** Seconds of life of a token that is exchanged at once: the least that Kubernetes gives. And of one that is handed through. */
const [exchangedLife, handedLife] = [600, 3_600];

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** What a machine's grant answers. SUBJECT_TOKEN_INVALID, and the codes of the provider's exchanges. Nothing is stored. */
export async function machineAnswer(run: Run): Promise<TokenAnswer> {
  const { settings } = run;
  switch (settings.grant) {
    case "client-credentials":
      return clientCredentials(run);
    case "jwt-bearer":
      return jwtBearer(run);
    case "subject-token":
      return handedThrough(run);
    case "token-exchange":
      return settings.mayHandThrough ? handedOrExchanged(run) : exchanged(run, await readSubject(run, exchangeAudience(settings), exchangedLife));
    default:
      return fail("GRANT_UNSUPPORTED", { message: `${settings.grant} is no grant of a machine` });
  }
}

/** RFC 6749, section 4.4. With an identity, its token proves the client (RFC 7523, section 2.2), read afresh (protocol.md K-04). */
async function clientCredentials(run: Run): Promise<TokenAnswer> {
  const { settings } = run;
  const proof: (readonly [string, string])[] = [];
  if (needsSubject(settings)) {
    const subject = await readSubject(run, exchangeAudience(settings), exchangedLife);
    judged(run, subject, askedAudiences(settings, subject.source, exchangeAudience(settings)));
    proof.push(["client_assertion_type", assertionType], ["client_assertion", subject.token.reveal()]);
  }
  return grant(run, "client_credentials", proof);
}

/** RFC 7523, section 2.1: the platform's token is the grant itself. */
async function jwtBearer(run: Run): Promise<TokenAnswer> {
  const { settings } = run;
  const subject = await readSubject(run, exchangeAudience(settings), exchangedLife);
  judged(run, subject, askedAudiences(settings, subject.source, exchangeAudience(settings)));
  return grant(run, "jwt-bearer", [["assertion", subject.token.reveal()]]);
}

async function grant({ world, settings }: Run, name: "client_credentials" | "jwt-bearer", own: readonly (readonly [string, string])[]): Promise<TokenAnswer> {
  const scopes = settings.scopes.filter((scope) => scope !== "offline_access");
  // Entra ID takes `RESOURCE/.default` alone (AADSTS1002012).
  const isWhole = scopes.some((scope) => scope.endsWith("/.default"));
  const provider = await world.provider();
  await provider.facts();
  return provider.machineGrant(
    name,
    [
      ["scope", [...(isWhole ? [] : ["openid"]), ...scopes].join(" ")],
      ...settings.audiences.map((audience) => ["resource", audience] as const),
      ...Object.entries(settings.extraParams).filter(([param]) => own.every(([known]) => known !== param)),
      ...own,
    ],
    async () => undefined,
  );
}

/** For `doctor`: which identity this session stands on, and until when its token, which is read now, is good. Undefined: it needs none. SUBJECT_TOKEN_INVALID. */
export async function lookAtIdentity(run: Run): Promise<{ readonly label: string; readonly expiresAt: number | undefined } | undefined> {
  const { settings } = run;
  if (!needsSubject(settings)) return undefined;
  const isHanded = settings.grant === "subject-token";
  const audience = isHanded ? (handedAudiences(settings)[0] ?? settings.clientId) : exchangeAudience(settings);
  const subject = await readSubject(run, audience, exchangedLife);
  const { exp } = judged(run, subject, isHanded ? handedAudiences(settings) : askedAudiences(settings, subject.source, audience));
  return { label: subjectLabel(subject.source), expiresAt: typeof exp === "number" ? exp : undefined };
}

interface ReadSubject {
  readonly source: SubjectSource;
  readonly token: Secret;
}

/** The platform's token as it is now. */
async function readSubject({ world, settings }: Run, audience: string, life: number): Promise<ReadSubject> {
  if (settings.subjectFault !== undefined) throw settings.subjectFault;
  const source = settings.subject?.source ?? fail("SUBJECT_TOKEN_INVALID", { message: "no identity of this machine is known" });
  world.terminal.log(1, `reading the token of ${subjectLabel(source)}`);
  return { source, token: await world.subjectTokens().read(source, { audience, seconds: life }) };
}

/** The platform's token is for whoever will take it. */
const exchangeAudience = (settings: Settings) => settings.subjectTokenAudience ?? settings.issuer;

/** Only these platforms are asked for an audience; what the others give has its own. */
const choosesAudience = (source: SubjectSource) => source.kind === "github" || source.kind === "kubernetes";

const askedAudiences = (settings: Settings, source: SubjectSource, asked: string) => (choosesAudience(source) || settings.subjectTokenAudience !== undefined ? [asked] : undefined);

const typeOf = (settings: Settings) => tokenType(settings.subjectTokenType ?? "jwt");

const judged = ({ world, settings }: Run, { token }: ReadSubject, audiences: readonly string[] | undefined) =>
  judgeSubject(token, { type: typeOf(settings), now: seconds(world), audiences });

/** RFC 8693. */
async function exchanged(run: Run, subject: ReadSubject): Promise<TokenAnswer> {
  const { world, settings, signal } = run;
  judged(run, subject, askedAudiences(settings, subject.source, exchangeAudience(settings)));
  const requestedTokenType = settings.requestedTokenType === undefined ? accessTokenType : tokenType(settings.requestedTokenType);
  const scopes = [...(requestedTokenType === idTokenType ? ["openid"] : []), ...settings.scopes];
  const provider = await world.provider();
  await provider.facts();
  const { token, expiresAt, claims } = await provider.exchangeToken(
    {
      subjectToken: subject.token,
      subjectTokenType: typeOf(settings),
      requestedTokenType,
      audience: settings.audiences,
      scope: scopes.length === 0 ? undefined : scopes.join(" "),
      extra: Object.entries(settings.extraParams),
    },
    signal,
  );
  return { idToken: undefined, accessToken: token, refreshToken: undefined, expiresIn: expiresAt - seconds(world), claims };
}

/** `auto`: what the issuer itself made is handed through. It is asked for anew when it was made for the exchange. */
async function handedOrExchanged(run: Run): Promise<TokenAnswer> {
  const { settings } = run;
  const subject = await readSubject(run, exchangeAudience(settings), exchangedLife);
  if (decodeJwt(subject.token.reveal())?.claims["iss"] !== settings.issuer) return exchanged(run, subject);
  return choosesAudience(subject.source) ? handedThrough(run) : handed(run, subject);
}

/** Without an exchange: the cluster trusts the platform's issuer itself. No request is made to it; its signature is the API server's matter. */
async function handedThrough(run: Run): Promise<TokenAnswer> {
  const { settings } = run;
  return handed(run, await readSubject(run, handedAudiences(settings)[0] ?? settings.clientId, handedLife));
}

const handedAudiences = ({ subjectTokenAudience, audiences, clientId }: Settings): readonly string[] =>
  subjectTokenAudience !== undefined ? [subjectTokenAudience] : audiences.length > 0 ? audiences : [clientId];

function handed({ world, settings }: Run, { token }: ReadSubject): TokenAnswer {
  const claims = judgeSubject(token, { type: undefined, now: seconds(world), audiences: handedAudiences(settings) });
  if (claims["iss"] !== settings.issuer)
    fail("SUBJECT_TOKEN_INVALID", {
      message: `the subject token is of the issuer ${safeText(claims["iss"] ?? "nobody", 120)}, not ${shownUrl(settings.issuer, 120)} (iss)`,
      hint: "set --oidc-issuer-url to its issuer, or exchange it with --grant-type=token-exchange",
    });
  return { idToken: token, accessToken: token, refreshToken: undefined, expiresIn: undefined, claims };
}
