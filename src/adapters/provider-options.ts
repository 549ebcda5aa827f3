import type { DeadlineFetch } from "./https-fetch.ts";
import type { Secret } from "../core/secret.ts";
import type { IssuerCache } from "./issuer-cache.ts";

/** What the adapter is built from. `fetch` has CA, proxy, size cap and deadline in it (https-fetch.ts). */
export interface ProviderOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  readonly useAccessToken: boolean;
  readonly acrValues: string | undefined;
  /** Seconds; verified at login. */
  readonly maxAge: number | undefined;
  readonly fetch: DeadlineFetch;
  readonly cache: IssuerCache;
  readonly now: () => number;
}
