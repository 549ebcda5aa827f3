import { tokenInOutput } from "../../core/subject-token.ts";
import { runProgram } from "./run-program.ts";
import type { SubjectReading } from "./subject-reading.ts";

/** The token that a command prints. It has the environment of this program, since it may have its own credentials there. SUBJECT_TOKEN_INVALID. */
export async function commandToken(words: readonly string[], { env, platform, signal }: SubjectReading): Promise<string> {
  const { out } = await runProgram(words, { env, platform, signal });
  return tokenInOutput(out);
}
