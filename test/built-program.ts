import { spawnSync } from "node:child_process";

/** What a built program says of itself. `commit`: what it was built from, with `-dirty` for changes that are in no commit. */
export interface BuiltProgram {
  readonly version: string;
  readonly commit: string;
}

/** Asks the program that these words start: `version -o json`. Throws when it gives no answer. */
export function askProgram([file = "", ...args]: readonly string[]): BuiltProgram {
  const { stdout, error, status } = spawnSync(file, [...args, "version", "-o", "json"], { encoding: "utf8", timeout: 30_000, stdio: ["ignore", "pipe", "ignore"] });
  try {
    const { version, commit }: Partial<BuiltProgram> = JSON.parse(stdout ?? "");
    if (typeof version === "string" && typeof commit === "string") return { version, commit };
  } catch {
    // Said below.
  }
  throw new Error(`${file} does not say which build it is (version -o json: ${error?.message ?? `status ${status}`})`);
}
