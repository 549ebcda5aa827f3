import { checkIssuedToken, type IssuedTokenExpectation } from "../core/issued-token.ts";
import { decodeJwt } from "../core/id-token.ts";
import { fail } from "../errors/oidc-error.ts";
import type { IssuerConnection } from "./issuer-connection.ts";
import { signatureHolds } from "./token-signature.ts";

/**
 * The claims of a token that the library does not verify (an exchanged one, an access token): signature by the issuer's keys, and
 * `checkIssuedToken`. Keys that do not fit are fetched anew, once. ID_TOKEN_MISSING, ID_TOKEN_INVALID, ISSUER_UNREACHABLE.
 */
export async function verifiedClaims(token: string, expected: IssuedTokenExpectation, connection: IssuerConnection): Promise<Readonly<Record<string, unknown>>> {
  const claims = checkIssuedToken(token, expected);
  const alg = decodeJwt(token)?.header["alg"];
  const holds = (keys: readonly object[]) => signatureHolds(token, keys.filter(signs(alg)));
  if (holds(await connection.keys("known")) || holds(await connection.keys("new"))) return claims;
  return fail("ID_TOKEN_INVALID", { message: "the signature of the issuer's token does not hold under any of its keys" });
}

/** A key says what it is for (RFC 7517, sections 4.2 and 4.4): one that encrypts, or is for another algorithm, signs nothing. */
const signs = (alg: unknown) => (key: object) => (!("use" in key) || key.use === "sig") && (!("alg" in key) || key.alg === alg);
