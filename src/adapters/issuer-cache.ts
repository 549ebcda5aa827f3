import { isObject } from "../core/session.ts";
import type { PrivateFiles } from "../ports.ts";

/** Discovery documents and key sets may be six hours old; a token with an unknown key fetches the keys anew. Milliseconds. */
export const issuerCacheLife = 6 * 3600_000;

export interface CachedIssuer {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly issuer: string };
  readonly fetchedAt: number;
  readonly jwks: { readonly keys: readonly object[] } | undefined;
  readonly jwksAt: number;
}

/** What was learned of one issuer under one TLS trust; a file of ours, checked again at every use. Best effort both ways. */
export interface IssuerCache {
  read(issuer: string, now: number): CachedIssuer | undefined;
  write(entry: CachedIssuer): void;
  forget(): void;
}

/** `name` identifies issuer and trust: what an unchecked connection learned must not serve a checked one. */
export function issuerCache(files: PrivateFiles, name: string): IssuerCache {
  const file = `issuers/${name}.json`;
  return {
    read(issuer, now) {
      try {
        const value: unknown = JSON.parse(files.read(file) ?? "null");
        if (!isObject(value) || !isObject(value["metadata"]) || value["metadata"]["issuer"] !== issuer) return undefined;
        const fetchedAt = Number(value["fetchedAt"]);
        // A clock that was set back would make the entry young for ever.
        if (!(now - fetchedAt >= 0 && now - fetchedAt < issuerCacheLife)) return undefined;
        const jwks = isObject(value["jwks"]) && Array.isArray(value["jwks"]["keys"]) ? { keys: value["jwks"]["keys"].filter(isObject) } : undefined;
        const jwksAt = Number(value["jwksAt"]);
        const keysAreYoung = now - jwksAt >= 0 && now - jwksAt < issuerCacheLife;
        return { metadata: { ...value["metadata"], issuer }, fetchedAt, jwks: keysAreYoung ? jwks : undefined, jwksAt };
      } catch {
        return undefined;
      }
    },
    write(entry) {
      try {
        files.write(file, JSON.stringify(entry));
      } catch {
        // Without the cache the next run asks the issuer again.
      }
    },
    forget() {
      try {
        files.remove(file);
      } catch {
        // As above.
      }
    },
  };
}
