import { randomBytes } from "node:crypto";
import { isObject } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { PrivateFiles, Reservation, SecretStore } from "../ports.ts";

/** `--token-cache-storage=disk`, chosen by hand only: one 0600 file for one item, `refresh/<hash of its name>.json`. */
export function diskSecretStore(files: PrivateFiles, hash: (text: string) => string): SecretStore {
  const fileOf = (name: string) => `refresh/${hash(name)}.json`;
  const rooms = new Map<string, Reservation>();
  const store: SecretStore = {
    kind: "disk",
    keeps: true,
    describe: () => safeText(`${files.folder}/refresh`, 160),
    async probe() {
      // A name of its own: two logins may probe at the same time.
      const name = `kubectl-oidc probe ${randomBytes(8).toString("hex")}`;
      await store.write(name, name);
      const same = (await store.read(name)) === name;
      await store.remove(name);
      if (!same) fail("STORE_UNREADABLE", { message: `${safeText(files.folder)} does not give back what was written` });
    },
    async read(name) {
      const text = files.read(fileOf(name));
      if (text === undefined) return undefined;
      const value = parse(text);
      if (value?.name === name) return value.value;
      // Damaged: out of the way, so that a login heals it, and still there for a look.
      files.moveAside(fileOf(name));
      return undefined;
    },
    async write(name, value) {
      const text = JSON.stringify({ name, value });
      const room = rooms.get(name);
      rooms.delete(name);
      if (room === undefined) files.write(fileOf(name), text);
      else room.write(text);
    },
    async prepare(name) {
      const room = files.reserve(fileOf(name));
      rooms.set(name, room);
      return {
        giveBack() {
          rooms.delete(name);
          room.drop();
        },
      };
    },
    remove: async (name) => files.remove(fileOf(name)),
  };
  return store;
}

function parse(text: string): { readonly name: string; readonly value: string } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && typeof value["name"] === "string" && typeof value["value"] === "string" ? { name: value["name"], value: value["value"] } : undefined;
  } catch {
    return undefined;
  }
}
