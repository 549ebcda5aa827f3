import { fail } from "../errors/oidc-error.ts";
import type { Call } from "./call.ts";

/** Being built. */
export async function migrateCommand(_call: Call): Promise<void> {
  fail("COMMAND_UNKNOWN");
}
