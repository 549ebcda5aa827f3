import { newestToken, type PendingAnswer, parsePendings, parseSecretItem, type SecretItem } from "../core/session.ts";
import { sha256Hex } from "../core/sha256.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { SealedJournal, SecretItems, SecretStore } from "../ports.ts";

/**
 * The secret store as typed items. An item of a newer program is STORE_UNREADABLE; a damaged one counts as absent.
 *
 * A pending answer goes to the journal too, at the same moment: the issuer has rotated already, so losing it would be losing the session.
 * The journal helps where the store fails (a keychain that was locked between read and write), where it forgets (a keychain that
 * crashed before it wrote), and where it is late (a helper that outlives us, while the next call reads). It is a chain of answers, each
 * with the digest of the token that was spent for it: what follows on the newest token of the store counts, the rest are leftovers. So a
 * store that takes no write for days loses nothing, and nothing spent is sent. A file of ours is its own journal until it fails.
 */
export function secretItems(store: SecretStore, journal: SealedJournal): SecretItems {
  return {
    async read(name) {
      const text = await store.read(name);
      if (text === undefined) return undefined;
      const item = parseSecretItem(text);
      if (item === "newer") return fail("STORE_UNREADABLE", { message: `the session in ${store.describe()} was written by a newer kubectl-oidc`, hint: "upgrade kubectl-oidc" });
      if (item === "damaged") return undefined;
      const pending = following(name, item);
      return pending === undefined ? item : { ...item, pending };
    },
    async write(name, item) {
      // The store first: a keychain's child finishes what is in its pipe, whatever happens to us.
      const stored = store.write(name, JSON.stringify(item));
      const isSealed = store.kind !== "disk" && seal(name, item);
      try {
        await stored;
      } catch (error) {
        if (isOidcError(error) && (isSealed || (store.kind === "disk" && seal(name, item)))) return error;
        throw error;
      }
      // What would follow on the item that is the truth now was taken back, or belongs to a session that is gone.
      if (newestToken(item) === undefined || following(name, item) !== undefined) journal.remove(name);
      return undefined;
    },
    async prepare(name, item) {
      try {
        return await store.prepare(name);
      } catch (error) {
        // Full or read-only: the journal may have another place.
        if (!isOidcError(error) || item.sealKey === undefined || !journal.hasRoom(name)) throw error;
        return { giveBack: () => undefined };
      }
    },
    async remove(name) {
      journal.remove(name);
      await store.remove(name);
    },
    newSealKey: () => journal.newKey(),
  };

  function seal(name: string, { pending, sealKey }: SecretItem): boolean {
    if (pending?.spent === undefined || sealKey === undefined) return false;
    // Of those before it only the tokens are needed.
    const before = chainIn(name, sealKey).map((link) => ({ ...link, body: "" }));
    try {
      journal.write(name, sealKey, JSON.stringify([...before.slice(1 - longestChain), pending]));
      return true;
    } catch {
      return false;
    }
  }

  /** The last answer of the chain that begins with the item's newest token. */
  function following(name: string, item: SecretItem): PendingAnswer | undefined {
    if (item.sealKey === undefined) return undefined;
    const chain = chainIn(name, item.sealKey);
    let found: PendingAnswer | undefined;
    for (let token = newestToken(item), steps = 0; token !== undefined && steps < longestChain; steps++) {
      const digest = sha256Hex(token);
      const next = chain.find(({ spent }) => spent === digest);
      if (next === undefined) break;
      found = next;
      token = next.refreshToken;
    }
    return found;
  }

  /** With several journals (one could not be removed), all that they hold: only a chain of them counts. */
  function chainIn(name: string, sealKey: string): readonly PendingAnswer[] {
    return journal.read(name, sealKey).flatMap(parsePendings);
  }
}

/** Links of the journal's chain: a store that takes no write is mended before so many refreshes. */
const longestChain = 64;
