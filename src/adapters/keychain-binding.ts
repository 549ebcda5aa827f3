/** The part of @napi-rs/keyring that we use. */
export type KeychainBinding = Pick<typeof import("@napi-rs/keyring"), "AsyncEntry">;

/** The OS keychain by @napi-rs/keyring. Throws when it cannot be loaded. The standalone executable has `standalone/keychain-binding.ts` instead. */
export async function keychainBinding(): Promise<KeychainBinding> {
  const binding = await import("@napi-rs/keyring");
  // Versions before 2.1.0 ignore the pin without a word; only later ones have this export.
  if (process.platform === "linux" && !("LinuxStore" in (binding as object))) throw new Error("this version of the keychain binding cannot be pinned to the Secret Service");
  return binding;
}
