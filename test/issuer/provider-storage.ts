import type { Adapter, AdapterPayload } from "oidc-provider";

/** What the provider remembers: sessions, grants, codes and tokens, in this process only. */
export interface ProviderStorage {
  /** Given to oidc-provider, which calls it once for each kind of thing. */
  readonly adapter: (kind: string) => Adapter;
  /** Forgets everything: every refresh token is refused from now on, and every browser must log in again. */
  clear(): void;
  /** Refresh tokens that the issuer would take now. */
  unspentRefreshTokens(): readonly string[];
}

interface Entry {
  readonly kind: string;
  readonly payload: AdapterPayload;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** An empty storage. Its own one and not the library's, which keeps its entries where nothing can forget them. */
export function makeProviderStorage(): ProviderStorage {
  const entries = new Map<string, Entry>();
  const live = (key: string): AdapterPayload | undefined => {
    const entry = entries.get(key);
    return entry !== undefined && entry.expiresAt > Date.now() ? entry.payload : undefined;
  };

  const adapter = (kind: string): Adapter => {
    const keyOf = (id: string) => `${kind}:${id}`;
    const findBy = (matches: (payload: AdapterPayload) => boolean) => {
      const found = [...entries].find(([key, entry]) => entry.kind === kind && matches(entry.payload) && live(key) !== undefined);
      return found?.[1].payload;
    };
    return {
      upsert: async (id, payload, expiresIn) => {
        const expiresAt = expiresIn === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresIn * 1000;
        entries.set(keyOf(id), { kind, payload, expiresAt });
      },
      find: async (id) => live(keyOf(id)),
      findByUserCode: async (userCode) => findBy((payload) => payload.userCode === userCode),
      findByUid: async (uid) => findBy((payload) => payload.uid === uid),
      consume: async (id) => {
        const payload = live(keyOf(id));
        if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => {
        entries.delete(keyOf(id));
      },
      revokeByGrantId: async (grantId) => {
        for (const [key, entry] of entries) if (entry.payload.grantId === grantId) entries.delete(key);
      },
    };
  };

  return {
    adapter,
    clear: () => entries.clear(),
    // An opaque token's name is the token.
    unspentRefreshTokens: () =>
      [...entries]
        .filter(([key, { kind, payload }]) => kind === "RefreshToken" && payload.consumed === undefined && live(key) !== undefined)
        .map(([key]) => key.slice("RefreshToken:".length)),
  };
}
