/** How the program is shipped: files for the machine's Node, or one executable with its own runtime. */
export type ProgramForm = "npm" | "standalone";

/** The standalone executable has the keychain's program inside, which this first argument starts. */
export const keychainWord = "__keychain";

/** What a report of a fault needs to know of the running program. */
export interface BuiltProgram {
  readonly version: string;
  /** The commit that it was built from, `-dirty` with changes that are not in it; `unknown` outside a repository. */
  readonly commit: string;
  readonly form: ProgramForm;
  /** `Node 24.11.0`, `Bun 1.4.5`. */
  readonly runtime: string;
  /** `linux/x64` */
  readonly platform: string;
  /** Where `--token-cache-storage=keyring` stores. */
  readonly keychain: string;
}

/** The keychain behind `keyring` on a platform, in the words of its maker. Whether it answers is what `doctor` tells. */
export function keychainOf(platform: string): string {
  if (platform === "darwin") return "macOS Keychain";
  if (platform === "win32") return "Windows Credential Manager";
  return "Secret Service";
}

/** Node's and Bun's `process.versions` → the runtime; Bun says which Node it is like as well. */
export const runtimeOf = (versions: Readonly<Record<string, string | undefined>>) => (versions["bun"] === undefined ? `Node ${versions["node"] ?? ""}` : `Bun ${versions["bun"]}`);
