import { parseCredentialRecord } from "../core/session.ts";
import type { CredentialRecord } from "../core/session.ts";
import { fail } from "../errors/oidc-error.ts";
import type { CredentialStore, PrivateFiles, SecretStore } from "../ports.ts";

/** Where the credential with this key lies, relative to the store's folder. */
export const credentialFile = (credentialKey: string) => `credentials/${credentialKey}.json`;

/** Short-lived tokens as private files; the hot path reads them too. Damaged ones are moved aside: a refresh makes a new one. */
export function credentialFiles(files: PrivateFiles): CredentialStore {
  return {
    async read(key) {
      const text = files.read(credentialFile(key));
      if (text === undefined) return undefined;
      const record = parsed(text);
      if (record === undefined) files.moveAside(credentialFile(key));
      return record;
    },
    async write(key, record) {
      files.write(credentialFile(key), JSON.stringify(record));
    },
    async removeAllOf(sessionKey) {
      for (const name of files.list("credentials")) {
        if (!name.endsWith(".json")) continue;
        const text = files.read(`credentials/${name}`);
        const record = text === undefined ? undefined : parseCredentialRecord(text);
        if (typeof record === "object" && record.sessionKey === sessionKey) files.remove(`credentials/${name}`);
      }
    },
  };
}

/**
 * Short-lived tokens in the secret store (`--id-token-cache=keyring`), one item a session: the keys inside tell them apart,
 * so that a logout finds all of them without listing the keychain.
 */
export function credentialItems(store: SecretStore, itemName: string): CredentialStore {
  const name = `${itemName}#tokens`;
  async function readAll(): Promise<Record<string, CredentialRecord>> {
    const all: Record<string, CredentialRecord> = Object.create(null);
    const text = await store.read(name);
    for (const line of text === undefined ? [] : text.split("\n")) {
      const at = line.indexOf(" ");
      const record = parsed(line.slice(at + 1));
      if (at > 0 && record !== undefined) all[line.slice(0, at)] = record;
    }
    return all;
  }
  return {
    read: async (key) => (await readAll())[key],
    async write(key, record) {
      // The newest eight: an item must stay small (the Windows credential manager splits at 2,560 bytes).
      const others = Object.entries(await readAll()).filter(([known]) => known !== key);
      await store.write(name, [...others.slice(-7), [key, record] as const].map(([known, value]) => `${known} ${JSON.stringify(value)}`).join("\n"));
    },
    removeAllOf: () => store.remove(name),
  };
}

/** `--id-token-cache=none`. */
export function noCredentials(): CredentialStore {
  return { read: async () => undefined, write: async () => undefined, removeAllOf: async () => undefined };
}

function parsed(text: string): CredentialRecord | undefined {
  const record = parseCredentialRecord(text);
  if (record === "newer") return fail("STORE_UNREADABLE", { message: "a cached token was written by a newer kubectl-oidc", hint: "upgrade kubectl-oidc" });
  return record === "damaged" ? undefined : record;
}
