import { logInNow } from "../app/log-in-now.ts";
import { type Run, seconds } from "../app/world.ts";
import { rfc3339 } from "../core/exec-credential.ts";
import { isPureMachine } from "../core/keys.ts";
import { decodeJwt, displayName } from "../core/id-token.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import { type Call, openRun, refuseUnsafeEnvironment } from "./call.ts";
import { loggedInLines, nextCommand } from "./login-text.ts";
import { writeJson } from "./output.ts";
import { audiencesOfSession } from "./session-audiences.ts";
import { gatherForPerson } from "./sources.ts";

/** Logs in now; says who, until when, where it is stored and what to try next. With `-o json`, events on stdout, one a line. */
export async function loginCommand(call: Call): Promise<void> {
  const json = call.invocation.output === "json";
  try {
    await logInAndTell(call, json);
  } catch (error) {
    if (json) await writeErrorEvent(error);
    throw error;
  }
}

/** The last event of a login that failed (cli.md M13). */
export function writeErrorEvent(error: unknown): Promise<void> {
  return writeJson(isOidcError(error) ? { event: "error", code: error.code, exit: error.exitStatus } : { event: "error", code: "UNEXPECTED", exit: 1 });
}

async function logInAndTell(call: Call, json: boolean): Promise<void> {
  refuseUnsafeEnvironment(call.env);
  const gathered = gatherForPerson(call.machine, call.env, call.invocation);
  const { terminal } = call.machine;
  const mayPrompt = terminal.stdinIsTerminal && terminal.stderrIsTerminal;
  const run = openRun(call, gathered, { mayPrompt, server: gathered.server });
  const writes: Promise<void>[] = [];
  const credential = await logInNow(run, {
    mayPrompt,
    interactive: run.settings.nonInteractive !== true,
    events: json ? (event) => writes.push(writeJson(event)) : undefined,
    context: gathered.context?.contextName,
    audiences: () => audiencesOfSession(call, run),
  });
  await Promise.all(writes);
  const record = run.world.sessions.read(run.session.key);
  const claims = decodeJwt(credential.token)?.claims ?? {};
  const account = record?.displayName ?? displayName(claims) ?? safeText(credential.subject ?? "unknown", 120);
  // The code was spent when the signal came, so that the login was finished first (cli.md M14).
  if (call.signal.aborted) fail("INTERRUPTED", { message: `interrupted after the login as ${account}, which is ${isStored(run, record) ? "" : "not "}stored` });
  const { issuer, storage } = run.settings;
  if (json) return writeJson({ event: "done", issuer, subject: credential.subject, account, expiresAt: rfc3339(credential.expiresAt), storage });
  const facts = {
    issuer,
    account,
    expiresAt: credential.expiresAt,
    now: seconds(run.world),
    store: isStored(run, record) ? run.world.store.describe() : undefined,
    isMachine: isPureMachine(run.settings.grant),
  };
  const next = nextCommand({ context: gathered.context?.contextName, kubeconfig: call.invocation.kubeconfig }, process.platform);
  for (const line of loggedInLines(facts, next)) terminal.say(line);
}

const isStored = (run: Run, record: { readonly hasRefreshToken: boolean } | undefined) => run.world.store.keeps && record?.hasRefreshToken === true;
