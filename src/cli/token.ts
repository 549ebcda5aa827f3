import { getToken } from "../app/get-token.ts";
import { isBearerToken, rfc3339 } from "../core/exec-credential.ts";
import { fail } from "../errors/oidc-error.ts";
import { type Call, openRun, refuseUnsafeEnvironment } from "./call.ts";
import { writeData, writeJson } from "./output.ts";
import { gatherForPerson } from "./sources.ts";

/** For scripts: the current token, refreshed when needed; never opens a browser or prompts (exit 20 when a person is needed). */
export async function tokenCommand(call: Call): Promise<void> {
  refuseUnsafeEnvironment(call.env);
  const gathered = gatherForPerson(call.machine, call.env, call.invocation);
  const run = openRun(call, gathered, { mayPrompt: false, server: gathered.server });
  const { token, expiresAt, subject } = await getToken(run, { interactive: false, wasRefused: false, origin: { command: "get-token", mayPrompt: false } });
  if (call.signal.aborted) fail("INTERRUPTED");
  // A line break in it would be a line of a script's environment file.
  if (!isBearerToken(token)) fail("ID_TOKEN_INVALID", { message: "the token holds characters that a bearer token cannot have" });
  for (const warning of run.later) run.world.terminal.warn(warning);
  switch (call.invocation.output) {
    case "json":
      return writeJson({ token, expiresAt: rfc3339(expiresAt), issuer: run.settings.issuer, subject });
    case "header":
      return writeData(`Authorization: Bearer ${token}\n`);
    case "env":
      return writeData(`OIDC_TOKEN=${token}\n`);
    default:
      return writeData(`${token}\n`);
  }
}
