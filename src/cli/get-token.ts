import { getToken } from "../app/get-token.ts";
import { readCredential } from "../app/keep-session.ts";
import { type Run, seconds } from "../app/world.ts";
import { askAgainAt, execCredentialText, isBearerToken } from "../core/exec-credential.ts";
import { type ExecInfo, readExecInfo } from "../core/exec-info.ts";
import { checkEndpoint } from "../core/job-endpoint.ts";
import { gitlabVariable } from "../core/subject-source.ts";
import { optionTable } from "../core/flag-table.ts";
import type { CredentialRecord } from "../core/session.ts";
import { checkStrict, variablesNotCounted } from "../core/strict.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import { type Call, openRun, refuseUnsafeEnvironment, runsInCi } from "./call.ts";
import { writeData } from "./output.ts";
import { type Gathered, gatherForPlugin } from "./sources.ts";
import { refuseUnknownServer } from "./strict-login.ts";

/** The exec credential plugin: cached → refresh → login → one ExecCredential on stdout, or nothing. */
export async function getTokenCommand(call: Call): Promise<void> {
  // An apiVersion that we cannot answer is refused before any login.
  const info = readExecInfo(call.env["KUBERNETES_EXEC_INFO"], call.machine.authorityData);
  refuseUnsafeEnvironment(call.env);
  const gathered = gatherForPlugin(call.machine, call.env, call.invocation.options, info.config);
  const { strict } = gathered;
  if (strict !== undefined) checkStrict(gathered.sources, call.env, info.server !== undefined, strict.allow);
  const notCounted = strict === undefined ? [] : variablesNotCounted(call.env, strict.allow);
  const run = openRun(call, gathered, { mayPrompt: false, server: info.server, notCounted });
  if (strict !== undefined && run.settings.subject?.source.kind === "github") checkEndpoint(call.env, strict.allow);
  for (const name of notCounted) run.world.terminal.log(1, `strict: ${name} does not count`);
  const interactive = !(run.settings.nonInteractive ?? runsInCi(call.env));
  const client = call.machine.client();
  const notes = call.machine.notes(run.session);
  const before = await readCredential(run).catch(() => undefined);
  const wasRefused = before !== undefined && notes.wasRefused(client, before.token, seconds(run.world));
  if (wasRefused) run.world.terminal.log(1, "the API server refused the token; refreshing once");
  let credential: CredentialRecord;
  try {
    credential = await getToken(run, {
      interactive,
      wasRefused,
      origin: { command: "get-token", mayPrompt: interactive, audiences: async () => (await import("./session-audiences.ts")).audiencesOfSession(call, run) },
      ...(strict === undefined ? {} : { beforeLogin: () => refuseUnknownServer(call, run) }),
    });
  } finally {
    if (wasRefused) notes.refreshed(seconds(run.world));
  }
  if (call.signal.aborted) fail("INTERRUPTED");
  if (!isBearerToken(credential.token)) fail("ID_TOKEN_INVALID", { message: "the token holds characters that a bearer token cannot have" });
  const until = askAgainAt(credential, run.settings.minValidity, run.settings.credentialTtl, seconds(run.world));
  notes.handed(client, credential.token, until);
  await run.world.audit?.handedOut(run, credential);
  for (const warning of run.later) run.world.terminal.warn(warning);
  await remember(call, run, gathered, info, credential);
  await writeData(execCredentialText(info.apiVersion, credential.token, until));
}

/**
 * Whose token it is hangs on something that is no input of the memo: the kubeconfig and its current context; a variable of any name that holds
 * the job's token, unless GitLab's own job number tells the jobs apart.
 */
function dependsOnMore({ settings }: Run, env: Call["env"]): boolean {
  const source = settings.subject?.source;
  return source?.kind === "kubernetes" || (source?.kind === "gitlab" && !(source.variable === gitlabVariable && env["CI_JOB_ID"]));
}

/** Lets the hot path repeat this answer. A fault here costs only time at the next call. */
async function remember(call: Call, run: Run, gathered: Gathered, info: ExecInfo, credential: CredentialRecord): Promise<void> {
  // Whoever asks what happens (-v) hears it at every call: the hot path says nothing.
  if (run.settings.idTokenCache !== "disk" || run.settings.forceRefresh || call.invocation.verbosity > 0) return;
  if (dependsOnMore(run, call.env)) return;
  const paths = optionTable.filter((row) => row.kind === "path" || row.kind === "paths").flatMap((row) => gathered.sources.flatMap((source) => source.options[row.name] ?? []));
  const folders = ["KUBECACHEDIR", "KUBECTL_OIDC_CONFIG", "HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"].flatMap((name) => call.env[name] || []);
  const authority = info.authorityFile === undefined ? [] : [info.authorityFile];
  const cwd = call.machine.dependsOnFolder([...paths.flatMap((text) => text.split(",")), ...folders, ...authority].filter((path) => path !== "")) ? call.cwd : undefined;
  try {
    await call.machine.remember(run, credential, {
      argv: call.argv,
      apiVersion: info.apiVersion,
      looked: [...gathered.looked, ...authority.map((path) => call.machine.absolute(path))],
      cwd,
    });
  } catch (error) {
    run.world.terminal.log(1, `the answer could not be remembered: ${isOidcError(error) ? error.message : "unexpected fault"}`);
  }
}
