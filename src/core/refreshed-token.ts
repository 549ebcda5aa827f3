import { fail } from "../errors/oidc-error.ts";
import type { LoginFacts } from "./session.ts";
import { sha256Hex } from "./sha256.ts";

type Claims = Readonly<Record<string, unknown>>;

/** Seconds that the clocks of one issuer's nodes may lie apart: the library's own tolerance. */
const nodesApart = 30;

/** What later ID tokens are compared with. */
export function loginFactsOf(claims: Claims): LoginFacts {
  const { iat, auth_time: authTime, azp, nonce } = claims;
  return {
    ...(typeof iat === "number" ? { iat } : {}),
    ...(typeof authTime === "number" ? { authTime } : {}),
    ...(azp === undefined ? {} : { azp: true }),
    ...(nonce === undefined ? {} : { nonce: digest(nonce) }),
  };
}

/**
 * The rules of OIDC Core 12.2 for an ID token that a refresh brought, beside issuer, audience and subject (protocol.md RF-03, RF-04): issued
 * anew, for the same authentication, to the same party, with the login's nonce or none. `claims` were checked by `checkIdToken`, which
 * lets no foreign azp through. Nothing is compared without `login`. `now` in seconds. ID_TOKEN_INVALID.
 */
export function checkRefreshed(claims: Claims, login: LoginFacts | undefined, now: number): void {
  if (login === undefined) return;
  const { iat, auth_time: authTime, azp, nonce } = claims;
  // A login under a clock that ran ahead must not bar every later token.
  if (login.iat !== undefined && !(typeof iat === "number" && iat >= Math.min(login.iat, now) - nodesApart)) refuse("it is older than the login (iat)");
  if (login.authTime !== undefined && authTime !== undefined && authTime !== login.authTime && !isLaterSignIn(claims, login.authTime))
    refuse("it is of another authentication than the login (auth_time)");
  if (login.azp === undefined && azp !== undefined) refuse("it names an authorized party, the login's did not (azp)");
  if (nonce !== undefined && digest(nonce) !== login.nonce) refuse("it has another nonce than the login");
}

/**
 * GitLab's auth_time is that of the person's last sign-in, whatever this login was by (`current_sign_in_at`): whoever signs in there anew is no
 * stranger. Its ID tokens alone have the claim sub_legacy. Later than the login's, and not later than the token.
 */
function isLaterSignIn(claims: Claims, loginAuthTime: number): boolean {
  const { auth_time: authTime, iat, sub_legacy: legacy } = claims;
  return typeof legacy === "string" && typeof authTime === "number" && typeof iat === "number" && authTime > loginAuthTime && authTime <= iat + nodesApart;
}

function refuse(reason: string): never {
  return fail("ID_TOKEN_INVALID", { message: "the refreshed ID token does not belong to this login", reason, hint: "run: kubectl oidc login" });
}

const digest = (nonce: unknown) => sha256Hex(String(nonce)).slice(0, 32);
