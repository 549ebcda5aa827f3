import { fail } from "../errors/oidc-error.ts";
import { decodeJwt } from "./id-token.ts";
import { idTokenType, tokenType } from "./issued-token.ts";
import { isObject } from "./session.ts";
import type { Secret } from "./secret.ts";
import { timeAway } from "./time-away.ts";
import { safeText } from "./untrusted-text.ts";

type Claims = Readonly<Record<string, unknown>>;

/** What a platform's token is judged against before it is used. Seconds. */
export interface SubjectExpectation {
  /** As RFC 8693 names it; undefined: a JWT. */
  readonly type: string | undefined;
  readonly now: number;
  /** That the platform was asked for, or that an option says; undefined: nobody said. One of several. */
  readonly audiences: readonly string[] | undefined;
}

/** A token that ends sooner is not worth a request. Seconds. */
const leastLeft = 10;

/** The longest token that any platform gives, by far. Characters. */
const longest = 65_536;

const wrong = (message: string, hint?: string): never => fail("SUBJECT_TOKEN_INVALID", { message, ...(hint === undefined ? {} : { hint }) });

/**
 * The claims of the platform's token, unverified: whoever it is for verifies it. What can be seen to be wrong is said here, where its cure is, and
 * nothing of it is sent. Empty for a token that is no JWT and need not be. SUBJECT_TOKEN_INVALID, never with the token.
 */
export function judgeSubject(token: Secret, { type, now, audiences }: SubjectExpectation): Claims {
  const text = token.reveal();
  if (text === "") wrong("the subject token is empty");
  if (text.length > longest || !/^[\x21-\x7e]+$/.test(text)) wrong("the subject token is not one word of printable characters");
  const claims = decodeJwt(text)?.claims;
  if (claims === undefined) return isJwtType(type) ? wrong("the subject token is not a JWT", "check what writes it, or say what it is with --subject-token-type") : {};
  const { exp, nbf, iss, aud } = claims;
  if (exp !== undefined && typeof exp !== "number") wrong("the subject token's end is no time (exp)");
  if (typeof exp === "number" && exp - now < leastLeft)
    wrong(`the subject token ${exp < now ? `expired ${timeAway(exp - now)}` : "is about to expire"} (exp)`, "check the platform that writes it, and this computer's clock");
  if (typeof nbf === "number" && nbf > now + 300) wrong("the subject token is not valid yet (nbf)", "check this computer's clock");
  if (iss !== undefined && (typeof iss !== "string" || iss === "")) wrong("the subject token names no usable issuer (iss)");
  const named: readonly unknown[] = Array.isArray(aud) ? aud : aud === undefined ? [] : [aud];
  if (audiences !== undefined && !audiences.some((audience) => named.includes(audience)))
    wrong(
      `the subject token is for the audience ${named.length === 0 ? "of nobody" : named.map((one) => safeText(one, 80)).join(", ")}, not ${audiences.map((one) => safeText(one, 80)).join(" or ")} (aud)`,
      "give the platform's token that audience, or change --subject-token-audience",
    );
  return claims;
}

const isJwtType = (type: string | undefined) => type === undefined || [tokenType("jwt"), idTokenType].includes(type);

/** A SPIFFE JWT-SVID as `spire-agent api fetch jwt` prints it for people: a name, and the token below. */
const svidLine = /^token\([^)\n]*\):\s*\n\s*(\S+)\s*$/gm;

/**
 * The one token in what a command printed: alone; in spire-agent's two forms; or in a JSON object that has it where Kubernetes' TokenRequest and
 * ExecCredential do. SUBJECT_TOKEN_INVALID for none, and for several: which one would be a guess.
 */
export function tokenInOutput(output: string): string {
  const text = output.trim();
  if (text === "") return wrong("the command printed nothing");
  const found = /^[[{]/.test(text) ? tokensInJson(text) : text.startsWith("token(") ? [...text.matchAll(svidLine)].map(([, token = ""]) => token) : text.split(/\s+/);
  const [token, ...more] = found;
  if (token === undefined) return wrong("the command printed no token in a form that is known");
  return more.length === 0 ? token : wrong("the command printed more than one token, or something beside it", "have it print one token and nothing else (spire-agent: -spiffeID)");
}

function tokensInJson(text: string): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  const member = (of: unknown, name: string): unknown => (isObject(of) && Object.hasOwn(of, name) ? of[name] : undefined);
  const svids = (Array.isArray(value) ? value : [value]).flatMap((part) => {
    const list = member(part, "svids");
    return Array.isArray(list) ? list.map((svid) => member(svid, "svid")) : [];
  });
  return [...svids, member(member(value, "status"), "token")].filter((token): token is string => typeof token === "string" && token !== "");
}
