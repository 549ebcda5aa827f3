import type { Call } from "./call.ts";
import { writeData, writeJson } from "./output.ts";

/** Program, commit, form, runtime, platform and keychain. */
export function versionCommand({ program, invocation }: Call): Promise<void> {
  if (invocation.output === "json") return writeJson(program);
  const form = program.form === "standalone" ? "standalone, " : "";
  return writeData(`kubectl-oidc ${program.version} (${form}${program.runtime}, ${program.platform})\n`);
}
