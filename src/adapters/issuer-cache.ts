import { createHmac, timingSafeEqual } from "node:crypto";
import { isObject } from "../core/session.ts";
import type { PrivateFiles } from "../ports.ts";

/** Discovery documents and key sets may be six hours old; a token that no key fits fetches the keys anew. Milliseconds. */
export const issuerCacheLife = 6 * 3600_000;

export interface CachedIssuer {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly issuer: string };
  readonly fetchedAt: number;
  readonly jwks: { readonly keys: readonly object[] } | undefined;
  readonly jwksAt: number;
  /** PEM of the roots that verified its connections; they count only while they are trusted (`known-roots.ts`). */
  readonly roots?: readonly string[];
}

/** What was learned of one issuer under one TLS trust; a file of ours, checked again at every use. Best effort both ways. */
export interface IssuerCache {
  read(issuer: string, now: number): CachedIssuer | undefined;
  write(entry: CachedIssuer): void;
  /** Reads and writes count from here on. */
  unlock(key: string): void;
}

/**
 * `name` identifies issuer, trust and session: what an unchecked connection learned must not serve a checked one. Owner and mode of the file
 * are checked, and that is not enough: a kubeconfig's `env` can move HOME to an unpacked archive, whose files are ours, and a planted
 * document would have the refresh token sent to its author. So an entry counts only under a key that lies with that token. Without
 * one (a login that begins, a machine's grant) nothing is believed or kept.
 */
export function issuerCache(files: PrivateFiles, name: string): IssuerCache {
  const file = `issuers/${name}.json`;
  let key: Buffer | undefined;
  const sealOf = (text: string, secret: Buffer) => createHmac("sha256", secret).update(`kubectl-oidc issuer cache\n${name}\n${text}`).digest();
  return {
    read(issuer, now) {
      if (key === undefined) return undefined;
      try {
        const [seal = "", ...rest] = (files.read(file) ?? "").split("\n");
        const text = rest.join("\n");
        const given = Buffer.from(seal, "base64url");
        return given.length === 32 && timingSafeEqual(given, sealOf(text, key)) ? entryOf(JSON.parse(text), issuer, now) : undefined;
      } catch {
        return undefined;
      }
    },
    write(entry) {
      if (key === undefined) return;
      try {
        const text = JSON.stringify(entry);
        files.write(file, `${sealOf(text, key).toString("base64url")}\n${text}`);
      } catch {
        // Without the cache the next run asks the issuer again.
      }
    },
    unlock(secret) {
      key = Buffer.from(secret, "base64url");
    },
  };
}

function entryOf(value: unknown, issuer: string, now: number): CachedIssuer | undefined {
  if (!isObject(value) || !isObject(value["metadata"]) || value["metadata"]["issuer"] !== issuer) return undefined;
  const fetchedAt = Number(value["fetchedAt"]);
  // A clock that was set back would make the entry young for ever.
  const isYoung = (at: number) => now - at >= 0 && now - at < issuerCacheLife;
  if (!isYoung(fetchedAt)) return undefined;
  const jwks = isObject(value["jwks"]) && Array.isArray(value["jwks"]["keys"]) ? { keys: value["jwks"]["keys"].filter(isObject) } : undefined;
  const jwksAt = Number(value["jwksAt"]);
  const roots = Array.isArray(value["roots"]) ? value["roots"].filter((pem) => typeof pem === "string") : [];
  return { metadata: { ...value["metadata"], issuer }, fetchedAt, jwks: isYoung(jwksAt) ? jwks : undefined, jwksAt, ...(roots.length === 0 ? {} : { roots }) };
}
