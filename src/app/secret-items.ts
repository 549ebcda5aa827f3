import { newestToken, parsePending, parseSecretItem, type SecretItem } from "../core/session.ts";
import { sha256Hex } from "../core/sha256.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { SealedJournal, SecretItems, SecretStore } from "../ports.ts";

/**
 * The secret store as typed items. An item of a newer program is STORE_UNREADABLE; a damaged one counts as absent. A pending answer
 * that the store does not take (a keychain that was locked between its read and its write) rests in the journal, and is found there
 * by the next read: the issuer has rotated already, so losing it would be losing the session.
 */
export function secretItems(store: SecretStore, journal: SealedJournal): SecretItems {
  return {
    async read(name) {
      const text = await store.read(name);
      if (text === undefined) return undefined;
      const item = parseSecretItem(text);
      if (item === "newer") return fail("STORE_UNREADABLE", { message: `the session in ${store.describe()} was written by a newer kubectl-oidc`, hint: "upgrade kubectl-oidc" });
      return item === "damaged" ? undefined : withJournal(name, item);
    },
    async write(name, item) {
      try {
        await store.write(name, JSON.stringify(item));
      } catch (error) {
        if (!isOidcError(error) || item.pending?.spent === undefined || item.sealKey === undefined) throw error;
        try {
          journal.write(name, item.sealKey, JSON.stringify(item.pending));
        } catch {
          throw error;
        }
        return error;
      }
      journal.remove(name);
      return undefined;
    },
    async remove(name) {
      journal.remove(name);
      await store.remove(name);
    },
    newSealKey: () => journal.newKey(),
  };

  /** Only an answer that was got with the item's newest token follows on it; another is a leftover. */
  function withJournal(name: string, item: SecretItem): SecretItem {
    const newest = newestToken(item);
    if (item.sealKey === undefined || newest === undefined) return item;
    const digest = sha256Hex(newest);
    const pending = journal
      .read(name, item.sealKey)
      .map(parsePending)
      .find((one) => one?.spent === digest);
    return pending === undefined ? item : { ...item, pending };
  }
}
