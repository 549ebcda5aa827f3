import addon from "kubectl-oidc:keyring-addon";
import type { KeychainBinding } from "../keychain-binding.ts";

/** On macOS and Windows Bun's own way is used: its temporary folder is this user's alone there. */
export const keychainBinding = async (): Promise<KeychainBinding> => addon;
