import { randomBytes } from "node:crypto";
import { type Answer, oauthError } from "./issuer-answer.ts";
import type { Forgery, IssuerKeys } from "./issuer-keys.ts";
import type { ReceivedRequest } from "./received-request.ts";

export const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
export const bearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** What a proper issuer answers to a machine that brings a token of its own (RFC 8693, RFC 7523). Whether it believes that token is a test's matter. */
export async function machineAnswer(
  { form, grantType }: ReceivedRequest,
  how: { readonly issuer: string; readonly keys: IssuerKeys; readonly lifetime: number; readonly forgery: (accessToken: string) => Forgery | "missing" | undefined },
): Promise<Answer> {
  const isExchange = grantType === exchangeGrant;
  const subject = form.get(isExchange ? "subject_token" : "assertion");
  if (subject === null || (isExchange && form.get("subject_token_type") === null)) return oauthError("invalid_request", "no subject token");
  const now = Math.floor(Date.now() / 1000);
  const asked = form.getAll("audience").concat(form.getAll("resource"));
  const claims = {
    iss: how.issuer,
    aud: asked.length === 0 ? (form.get("client_id") ?? "kubernetes") : asked.length === 1 ? asked[0] : asked,
    sub: subjectOf(subject),
    iat: now,
    exp: now + how.lifetime,
    jti: randomBytes(8).toString("hex"),
  };
  const forgery = how.forgery("");
  const token = await how.keys.sign(claims, forgery === "missing" ? undefined : forgery);
  const issued = form.get("requested_token_type") ?? "urn:ietf:params:oauth:token-type:access_token";
  const type = isExchange ? { issued_token_type: issued, token_type: issued.endsWith(":access_token") ? "Bearer" : "N_A" } : { token_type: "Bearer" };
  return { json: { access_token: token, expires_in: how.lifetime, ...type } };
}

function subjectOf(token: string): string {
  try {
    return String(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")).sub);
  } catch {
    return "machine";
  }
}
