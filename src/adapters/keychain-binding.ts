import { packageLoader } from "./package-loader.ts";

/** The part of @napi-rs/keyring that we use. */
export type KeychainBinding = Pick<typeof import("@napi-rs/keyring"), "AsyncEntry">;

/** The OS keychain by @napi-rs/keyring. Throws when it cannot be loaded. The standalone executable has `standalone/keychain-binding.ts` instead. */
export async function keychainBinding(): Promise<KeychainBinding> {
  const binding = directly() ?? (await import("@napi-rs/keyring"));
  // Versions before 2.1.0 ignore the pin without a word; only later ones have this export.
  if (process.platform === "linux" && !("LinuxStore" in (binding as object))) throw new Error("this version of the keychain binding cannot be pinned to the Secret Service");
  return binding;
}

/** The package of the addon for each platform; of Linux the one for glibc, which elsewhere is not there or cannot be loaded. */
const addonOf: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: `linux-${process.arch}-gnu`,
  darwin: `darwin-${process.arch}`,
  win32: `win32-${process.arch}-msvc`,
};

/** The addon itself, which its package's own search finds 2 to 5 ms later. Undefined where that search must be made. */
function directly(): KeychainBinding | undefined {
  try {
    const load = packageLoader();
    // The binding's own dependency: a strict package manager shows it to nobody else.
    const addon: unknown = load(load.resolve(`@napi-rs/keyring-${addonOf[process.platform]}`, { paths: [load.resolve("@napi-rs/keyring")] }));
    return typeof addon === "object" && addon !== null && "AsyncEntry" in addon ? (addon as KeychainBinding) : undefined;
  } catch {
    return undefined;
  }
}
