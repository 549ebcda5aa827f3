import { type SecretService, startSecretService } from "../../desktop/secret-service.ts";
import { hasProgram } from "../../programs.ts";
import type { Missing } from "../parts/missing.ts";

const needed = ["dbus-daemon", "dbus-send", "gnome-keyring-daemon"];

/** A real keychain on a bus of its own. */
export async function openKeychain(): Promise<SecretService | Missing> {
  const absent = needed.filter((name) => !hasProgram(name));
  return absent.length > 0 ? { missing: `a keychain of its own needs ${absent.join(", ")}` } : startSecretService("normal");
}
