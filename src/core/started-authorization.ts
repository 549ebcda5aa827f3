import type { Secret } from "./secret.ts";

/** An authorization request on its way: what the browser is sent to, and what its answer is held against. */
export interface StartedAuthorization {
  readonly url: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: Secret;
  /** Seconds after which the issuer does not know the URL any more; undefined: it says of no end. */
  readonly expiresIn?: number | undefined;
}
