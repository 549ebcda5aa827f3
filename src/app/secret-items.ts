import { newestToken, type PendingAnswer, parsePending, parseSecretItem, type SecretItem } from "../core/session.ts";
import { sha256Hex } from "../core/sha256.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { SealedJournal, SecretItems, SecretStore } from "../ports.ts";

/**
 * The secret store as typed items. An item of a newer program is STORE_UNREADABLE; a damaged one counts as absent.
 *
 * A pending answer goes to the journal too, at the same moment: the issuer has rotated already, so losing it would be losing the session.
 * The journal helps where the store fails (a keychain that was locked between read and write), where it forgets (a keychain that
 * crashed before it wrote), and where it is late (a helper that outlives us, while the next call reads). It stays until the next one: an
 * answer counts only when it was got with the very token that the store has as the newest. A file of ours is its own journal.
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
    async remove(name) {
      journal.remove(name);
      await store.remove(name);
    },
    newSealKey: () => journal.newKey(),
  };

  function seal(name: string, { pending, sealKey }: SecretItem): boolean {
    if (pending?.spent === undefined || sealKey === undefined) return false;
    try {
      journal.write(name, sealKey, JSON.stringify(pending));
      return true;
    } catch {
      return false;
    }
  }

  /** The journal's answer that was got with the item's newest token; any other is a leftover. */
  function following(name: string, item: SecretItem): PendingAnswer | undefined {
    const newest = newestToken(item);
    if (item.sealKey === undefined || newest === undefined) return undefined;
    const digest = sha256Hex(newest);
    return journal
      .read(name, item.sealKey)
      .map(parsePending)
      .find((one) => one?.spent === digest);
  }
}
