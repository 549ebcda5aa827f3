import type { SecretStore } from "../ports.ts";

/** `--token-cache-storage=none`: nothing is kept. */
export function noSecretStore(): SecretStore {
  return {
    kind: "none",
    keeps: false,
    describe: () => "nowhere",
    probe: async () => undefined,
    read: async () => undefined,
    write: async () => undefined,
    prepare: async () => ({ giveBack: () => undefined }),
    remove: async () => undefined,
  };
}
