import { parseSecretItem } from "../core/session.ts";
import { fail } from "../errors/oidc-error.ts";
import type { SecretItems, SecretStore } from "../ports.ts";

/** The secret store as typed items. An item of a newer program is STORE_UNREADABLE; a damaged one counts as absent. */
export function secretItems(store: SecretStore): SecretItems {
  return {
    async read(name) {
      const text = await store.read(name);
      if (text === undefined) return undefined;
      const item = parseSecretItem(text);
      if (item === "newer") return fail("STORE_UNREADABLE", { message: `the session in ${store.describe()} was written by a newer kubectl-oidc`, hint: "upgrade kubectl-oidc" });
      return item === "damaged" ? undefined : item;
    },
    write: (name, item) => store.write(name, JSON.stringify(item)),
    remove: (name) => store.remove(name),
  };
}
