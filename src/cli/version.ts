import { isNewer } from "../core/release.ts";
import type { Call } from "./call.ts";
import { writeData, writeJson } from "./output.ts";
import { refuseUnsafeEnvironment } from "./unsafe-environment.ts";

/** Program, commit, form, runtime, platform and keychain. `--check` asks the registry for the newest one; nothing else ever does. */
export async function versionCommand(call: Call): Promise<void> {
  const { program, invocation } = call;
  const newest = invocation.flags["check"] === true ? await askForNewest(call) : undefined;
  if (invocation.output === "json") return writeJson({ ...program, ...(newest === undefined ? {} : { newest, isNewest: !isNewer(newest, program.version) }) });
  const form = program.form === "standalone" ? "standalone, " : "";
  const own = `kubectl-oidc ${program.version} (${form}${program.runtime}, ${program.platform})\n`;
  return writeData(newest === undefined ? own : `${own}${comparison(newest, program)}\n`);
}

function askForNewest(call: Call): Promise<string> {
  refuseUnsafeEnvironment(call.env);
  return call.machine.newestRelease(call.signal);
}

function comparison(newest: string, { version, form }: Call["program"]): string {
  if (isNewer(version, newest)) return `it is newer than ${newest}, the newest release`;
  if (!isNewer(newest, version)) return "it is the newest";
  return `${newest} is there: ${form === "npm" ? `npm install --global kubectl-oidc@${newest}` : `https://github.com/kubectl-oidc/kubectl-oidc/releases/tag/v${newest}`}`;
}
