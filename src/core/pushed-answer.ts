import { isObject } from "./session.ts";

/** Seconds, when an issuer does not say how long it keeps a pushed request, although it must (RFC 9126, section 2.2). */
const usualLife = 60;
/** The browser's URL has to hold it. Characters. */
const longestUri = 4_096;

/** The answer to a pushed authorization request. */
export interface PushedRequest {
  readonly requestUri: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** Undefined for what is no such answer. */
export function pushedRequest(answer: unknown): PushedRequest | undefined {
  if (!isObject(answer)) return undefined;
  const { request_uri: requestUri, expires_in: given } = answer;
  const life = typeof given === "string" && /^\d{1,9}$/.test(given) ? Number(given) : given;
  if (typeof requestUri !== "string" || requestUri === "" || requestUri.length > longestUri) return undefined;
  return { requestUri, expiresIn: typeof life === "number" && Number.isFinite(life) && life > 0 ? Math.floor(life) : usualLife };
}
