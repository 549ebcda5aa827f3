import { parseCredentialRecord } from "../core/session.ts";
import type { CredentialRecord } from "../core/session.ts";
import { fail } from "../errors/oidc-error.ts";
import type { CredentialStore, PrivateFiles, SecretStore } from "../ports.ts";

/** Where the credential with this key lies, relative to the store's folder. */
export const credentialFile = (credentialKey: string) => `credentials/${credentialKey}.json`;

/** Where `--id-token-cache` says. */
export function credentialStoreOf(cache: "disk" | "keyring" | "none", files: PrivateFiles, items: () => SecretStore, itemName: string): CredentialStore {
  if (cache === "none") return noCredentials();
  return cache === "keyring" ? credentialItems(items(), itemName) : credentialFiles(files);
}

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
      files.write(credentialFile(key), JSON.stringify(record), "either");
    },
    async removeAllOf(sessionKey) {
      for (const { name } of allOf(sessionKey)) files.remove(name);
    },
    async setServersOfAll(sessionKey, servers) {
      for (const { name, record } of allOf(sessionKey)) files.write(name, JSON.stringify({ ...record, servers, memoIds: [] }));
    },
  };

  function allOf(sessionKey: string): readonly { readonly name: string; readonly record: CredentialRecord }[] {
    return files
      .list("credentials")
      .filter((name) => name.endsWith(".json"))
      .flatMap((file) => {
        const name = `credentials/${file}`;
        const text = files.read(name);
        const record = text === undefined ? undefined : parseCredentialRecord(text);
        return typeof record === "object" && record.sessionKey === sessionKey ? [{ name, record }] : [];
      });
  }
}

/**
 * Short-lived tokens in the secret store (`--id-token-cache=keyring`), one item a session: the keys inside tell them apart,
 * so that a logout finds all of them without listing the keychain.
 */
export function credentialItems(store: SecretStore, itemName: string): CredentialStore {
  const name = `${itemName}#tokens`;
  const textOf = (all: readonly (readonly [string, CredentialRecord])[]) => all.map(([known, value]) => `${known} ${JSON.stringify(value)}`).join("\n");
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
      await store.write(name, textOf([...others.slice(-7), [key, record]]));
    },
    removeAllOf: () => store.remove(name),
    async setServersOfAll(_, servers) {
      const all = Object.entries(await readAll()).map(([key, record]) => [key, { ...record, servers, memoIds: [] }] as const);
      if (all.length > 0) await store.write(name, textOf(all));
    },
  };
}

/** `--id-token-cache=none`. */
export function noCredentials(): CredentialStore {
  return { read: async () => undefined, write: async () => undefined, removeAllOf: async () => undefined, setServersOfAll: async () => undefined };
}

function parsed(text: string): CredentialRecord | undefined {
  const record = parseCredentialRecord(text);
  if (record === "newer") return fail("STORE_UNREADABLE", { message: "a cached token was written by a newer kubectl-oidc", hint: "upgrade kubectl-oidc" });
  return record === "damaged" ? undefined : record;
}
