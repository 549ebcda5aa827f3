import { randomBytes } from "node:crypto";

/** Every refresh token begins like this, so that one is found wherever it lies. */
export const refreshTokenMark = "faults-refresh-";

interface Entry {
  readonly family: string;
  /** Milliseconds since the epoch; undefined: not spent yet. */
  spentAt?: number;
  /** Made from this one. */
  readonly parent?: string;
}

/** What became of one refresh token that came. `early`: spent before, and forgiven. */
export type Verdict = { readonly result: "rotated" | "early"; readonly next: string } | { readonly result: "reused" | "revoked" | "unknown" };

/**
 * Who holds which refresh token: each is good once, and one that is used again ends its whole family, unless it comes within the grace
 * period (RFC 9700, section 4.14.2; the periods of real issuers are some seconds long).
 */
export function ledger() {
  const tokens = new Map<string, Entry>();
  const revoked = new Set<string>();

  function issue(family: string, parent?: string): string {
    const token = `${refreshTokenMark}${randomBytes(12).toString("hex")}`;
    tokens.set(token, parent === undefined ? { family } : { family, parent });
    return token;
  }

  return {
    /** A new family, by a login. */
    begin: () => issue(randomBytes(6).toString("hex")),
    spend(token: string, graceMs: number): Verdict {
      const entry = tokens.get(token);
      if (entry === undefined) return { result: "unknown" };
      if (revoked.has(entry.family)) return { result: "revoked" };
      if (entry.spentAt === undefined) {
        entry.spentAt = Date.now();
        return { result: "rotated", next: issue(entry.family, token) };
      }
      if (Date.now() - entry.spentAt <= graceMs) return { result: "early", next: issue(entry.family, token) };
      revoked.add(entry.family);
      return { result: "reused" };
    },
    revoke(token: string): void {
      const family = tokens.get(token)?.family;
      if (family !== undefined) revoked.add(family);
    },
  };
}
