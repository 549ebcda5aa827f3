import { type OidcError, isOidcError } from "../errors/oidc-error.ts";
import type { SecretStore } from "../ports.ts";

/**
 * A secret store that is not asked again in this run once it hung or was missing: one command waits for a frozen keychain
 * once (five seconds at most, cli.md M3), not at every step.
 */
export function patientStore(store: SecretStore): SecretStore {
  const memory: { fault: OidcError | undefined } = { fault: undefined };
  async function ask<T>(action: () => Promise<T>): Promise<T> {
    if (memory.fault !== undefined) throw memory.fault;
    try {
      return await action();
    } catch (error) {
      if (isOidcError(error) && (error.code === "KEYCHAIN_TIMED_OUT" || error.code === "KEYCHAIN_UNAVAILABLE")) memory.fault = error;
      throw error;
    }
  }
  return {
    kind: store.kind,
    keeps: store.keeps,
    describe: () => store.describe(),
    probe: () => ask(() => store.probe()),
    read: (name) => ask(() => store.read(name)),
    write: (name, value) => ask(() => store.write(name, value)),
    prepare: (name) => ask(() => store.prepare(name)),
    remove: (name) => ask(() => store.remove(name)),
  };
}
