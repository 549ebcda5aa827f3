import { logInNow } from "../app/log-in-now.ts";
import { rfc3339 } from "../core/exec-credential.ts";
import { decodeJwt, displayName } from "../core/id-token.ts";
import { shownUrl } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import { type Call, openRun, refuseUnsafeEnvironment } from "./call.ts";
import { writeJson } from "./output.ts";
import { gatherForPerson } from "./sources.ts";

/** Logs in now; says who, until when and where it is stored. With `-o json`, events on stdout, one a line. */
export async function loginCommand(call: Call): Promise<void> {
  const json = call.invocation.output === "json";
  try {
    await logInAndTell(call, json);
  } catch (error) {
    if (json && isOidcError(error)) await writeJson({ event: "error", code: error.code, exit: error.exitStatus });
    throw error;
  }
}

async function logInAndTell(call: Call, json: boolean): Promise<void> {
  refuseUnsafeEnvironment(call.env);
  const gathered = gatherForPerson(call.machine, call.env, call.invocation);
  const { terminal } = call.machine;
  const mayPrompt = terminal.stdinIsTerminal && terminal.stderrIsTerminal;
  const run = openRun(call, gathered, { mayPrompt, server: gathered.server });
  const writes: Promise<void>[] = [];
  const credential = await logInNow(run, { mayPrompt, interactive: run.settings.nonInteractive !== true, events: json ? (event) => writes.push(writeJson(event)) : undefined });
  await Promise.all(writes);
  if (call.signal.aborted) fail("INTERRUPTED");
  const record = run.world.sessions.read(run.session.key);
  const claims = decodeJwt(credential.token)?.claims ?? {};
  const account = record?.displayName ?? displayName(claims) ?? "unknown";
  const expiresAt = rfc3339(credential.expiresAt);
  const kept = record?.hasRefreshToken === true;
  if (json) return writeJson({ event: "done", issuer: run.settings.issuer, subject: credential.subject, account, expiresAt, storage: run.settings.storage });
  terminal.say(`kubectl-oidc: logged in to ${shownUrl(run.settings.issuer)} as ${account}`);
  terminal.say(
    `kubectl-oidc: the token is good until ${expiresAt}; ${kept ? `it is refreshed from ${run.world.store.describe()}` : "there is no refresh token, so a new login is needed then"}`,
  );
}
