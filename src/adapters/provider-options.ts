import type { DeadlineFetch } from "./https-fetch.ts";
import type { Secret } from "../core/secret.ts";
import type { Wish } from "../core/settings.ts";
import type { ClientKey } from "./client-key.ts";
import type { IssuerCache } from "./issuer-cache.ts";
import type { KnownRoots } from "./known-roots.ts";

/** What the adapter is built from. `fetch` has CA, proxy, size cap and deadline in it (https-fetch.ts). */
export interface ProviderOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  /** For private_key_jwt and signed requests. */
  readonly clientKey?: ClientKey | undefined;
  /** `fetch` shows a certificate of the client: the endpoints are those that the issuer has for such connections (RFC 8705, section 5). */
  readonly usesCertificate?: boolean;
  /** Absent: `auto`. */
  readonly par?: Wish;
  readonly useAccessToken: boolean;
  /** The token is for these, and which one of an answer that is shows later (app/handed-token.ts). */
  readonly audiences?: readonly string[];
  readonly acrValues: string | undefined;
  /** Seconds; verified at login. */
  readonly maxAge: number | undefined;
  /** `--dpop=always`: an answer that is not bound to the key is refused. */
  readonly mustBeBound?: boolean;
  readonly fetch: DeadlineFetch;
  readonly cache: IssuerCache;
  /** What the connections need of the TLS trust is kept with what the issuer says; absent: it is not. */
  readonly roots?: Pick<KnownRoots, "begin" | "learned">;
  readonly now: () => number;
}
