import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from "jose";
import { type Answer, oauthError } from "./issuer-answer.ts";
import type { Behaviour, Override } from "./misbehaving.ts";
import type { ReceivedRequest } from "./received-request.ts";

/** What an issuer reads of one proof (RFC 9449, section 4). */
export interface Proof {
  readonly thumbprint: string;
  readonly jti: string;
  readonly nonce: string | undefined;
  /** Seconds since the epoch. */
  readonly iat: number;
}

/** The proof of a request, its signature checked and that it is for this request; undefined when there is none. Rejects for a bad one. */
export async function proofOf(request: ReceivedRequest, issuer: string): Promise<Proof | undefined> {
  const proof = request.headers["dpop"];
  if (typeof proof !== "string") return undefined;
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: "dpop+jwt", algorithms: ["ES256", "ES384", "ES512"] });
  const { jwk } = protectedHeader;
  if (jwk === undefined || "d" in jwk) throw new Error("no public key in the proof");
  if (payload["htm"] !== request.method || payload["htu"] !== `${issuer}${request.path}`) throw new Error("a proof for another request");
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    jti: String(payload.jti),
    nonce: payload["nonce"] === undefined ? undefined : String(payload["nonce"]),
    iat: Number(payload.iat),
  };
}

/** The issuer lists DPoP, and binds what it gives out to the key of the request. */
export function binding(issuer: () => string, token: Override = (_request, _nth, proper) => proper(), algorithms: readonly string[] = ["RS256", "ES256"]): Behaviour {
  const keys = new Map<string, string>();
  return {
    discovery: async (_request, _nth, proper) => {
      const answer = await proper();
      return { ...answer, json: { ...(answer.json as object), dpop_signing_alg_values_supported: algorithms } };
    },
    token: async (request, nth, proper) => (typeof token === "function" ? await token(request, nth, () => boundAnswer(request, issuer(), keys, proper)) : token),
  };
}

async function boundAnswer(request: ReceivedRequest, issuer: string, keys: Map<string, string>, proper: () => Promise<Answer>): Promise<Answer> {
  const proof = await proofOf(request, issuer).catch(() => "bad" as const);
  if (proof === "bad") return oauthError("invalid_dpop_proof");
  const bound = keys.get(request.form.get("refresh_token") ?? "");
  // RFC 9449, section 5: the refresh token of a public client is good with its key only.
  if (bound !== undefined && bound !== proof?.thumbprint) return oauthError("invalid_grant", "the refresh token is bound to another key");
  const answer = await proper();
  if (proof === undefined || typeof answer.json !== "object" || answer.json === null || !("refresh_token" in answer.json)) return answer;
  if (answer.json.refresh_token !== undefined) keys.set(String(answer.json.refresh_token), proof.thumbprint);
  return { ...answer, json: { ...answer.json, token_type: "DPoP" } };
}
