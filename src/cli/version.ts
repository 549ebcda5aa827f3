import type { Call } from "./call.ts";
import { writeData, writeJson } from "./output.ts";

/** Program, runtime and platform. */
export function versionCommand(call: Call): Promise<void> {
  const about = { version: call.version, node: process.versions.node, platform: `${process.platform}/${process.arch}` };
  if (call.invocation.output === "json") return writeJson(about);
  return writeData(`kubectl-oidc ${about.version} (Node ${about.node}, ${about.platform})\n`);
}
