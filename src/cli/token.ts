import { getToken } from "../app/get-token.ts";
import { isBearerToken, rfc3339 } from "../core/exec-credential.ts";
import { timeAway } from "../core/time-away.ts";
import { fail } from "../errors/oidc-error.ts";
import { type Call, openRun, refuseUnsafeEnvironment } from "./call.ts";
import { writeData, writeJson } from "./output.ts";
import { gatherForPerson } from "./sources.ts";

/** For scripts: the current token, refreshed when needed; never opens a browser or prompts (exit 20 when a person is needed). */
export async function tokenCommand(call: Call): Promise<void> {
  refuseUnsafeEnvironment(call.env);
  const gathered = gatherForPerson(call.machine, call.env, call.invocation);
  const run = openRun(call, gathered, { mayPrompt: false, server: gathered.server });
  // Of this command line only: a stanza's own is about kubectl's margin (cli.md M6).
  const wantedLeft = call.invocation.options["min-validity"] === undefined ? undefined : run.settings.minValidity;
  const credential = await getToken(run, { interactive: false, wasRefused: false, origin: { command: "get-token", mayPrompt: false }, wantedLeft });
  const { token, expiresAt, subject } = credential;
  if (call.signal.aborted) fail("INTERRUPTED");
  // A line break in it would be a line of a script's environment file.
  if (!isBearerToken(token)) fail("ID_TOKEN_INVALID", { message: "the token holds characters that a bearer token cannot have" });
  await run.world.audit?.handedOut(run, credential);
  for (const warning of run.later) run.world.terminal.warn(warning);
  if (wantedLeft !== undefined) sayWhenShort(call, expiresAt, wantedLeft);
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

/** The newest token there is, and still less than was asked for: the script gets it, and its log says so. */
function sayWhenShort({ machine }: Call, expiresAt: number, wantedLeft: number): void {
  const left = expiresAt - machine.clock.now() / 1000;
  // Whole seconds: a token of ten minutes has a little less when it arrives.
  if (left < wantedLeft - 5)
    machine.terminal.warn(`the token is good until ${rfc3339(expiresAt)} (${timeAway(left)}), less than --min-validity asks for; no longer one could be had`);
}
