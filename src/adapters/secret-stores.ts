import type { ChildProcess } from "node:child_process";
import { isPureMachine } from "../core/keys.ts";
import type { PrivateFiles, SecretStore } from "../ports.ts";
import { credentialHelperStore } from "./credential-helper.ts";
import { digestHex } from "./digest.ts";
import { diskSecretStore } from "./disk-secrets.ts";
import { keychainStore } from "./keychain.ts";
import type { ChildCommand } from "./own-program.ts";
import { noSecretStore } from "./no-secrets.ts";
import { patientStore } from "./patient-store.ts";

/** Milliseconds for one keychain operation; a command's whole wait stays under five seconds (cli.md M3). */
const keychainDeadline = 4_500;
/** The same where a person may have to unlock it. */
const unlockDeadline = 120_000;

/** A machine's grant ends in no refresh token: what else its session holds (its servers) lies in a file, and no keychain is ever asked for it. */
export function placeOf(storage: string, grant: string): string {
  return isPureMachine(grant) && storage !== "none" ? "disk" : storage;
}

export interface StoreOptions {
  /** For a store of our own. */
  readonly files: PrivateFiles;
  readonly mayPrompt: boolean;
  /** The command of the process that asks the keychain. */
  readonly keychainChild: ChildCommand;
  /** One that runs already, and that nobody else asks. */
  readonly takeStarted: () => ChildProcess | undefined;
}

/** The store that `--token-cache-storage` names. */
export function secretStoreOf(storage: string, how: StoreOptions): SecretStore {
  const deadlineMs = how.mayPrompt ? unlockDeadline : keychainDeadline;
  if (storage === "none") return noSecretStore();
  if (storage === "disk") return diskSecretStore(how.files, digestHex);
  if (storage.startsWith("helper:")) return patientStore(credentialHelperStore(storage.slice("helper:".length), { deadlineMs }));
  return patientStore(keychainStore({ childCommand: how.keychainChild, started: how.takeStarted(), mayPrompt: how.mayPrompt, deadlineMs }));
}
