import { type Check, examine, type Patient } from "../app/doctor.ts";
import type { Run } from "../app/world.ts";
import type { StanzaFacts } from "../core/checks/stanza.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError, type OidcError } from "../errors/oidc-error.ts";
import { type Call, openRun } from "./call.ts";
import { gatherForPerson } from "./sources.ts";
import { writeData, writeJson } from "./output.ts";

type Context = ReturnType<Call["machine"]["context"]>;

/** Numbered checks, each with its cure. Ends with 0, or the exit of the first check that failed (cli.md M12). Nothing in it is secret. */
export async function doctorCommand(call: Call): Promise<number> {
  const { run, context } = patientOf(call);
  const checks = await examine(patient(call, run, context));
  if (call.signal.aborted) fail("INTERRUPTED");
  if (call.invocation.output === "json")
    await writeJson({ checks: checks.map(({ id, title, status, detail, cure }) => ({ id, title, status, detail: safeText(detail, 1_000), cure: cure ?? null })) });
  else await writeData(textOf(checks));
  return checks.find(({ status }) => status === "fail")?.exit ?? 0;
}

/** The session that the options name. What is wrong with them is the first finding, not the end. */
function patientOf(call: Call): { readonly run: Run | OidcError; readonly context: Context | undefined } {
  let context: Context | undefined;
  try {
    const gathered = gatherForPerson(call.machine, call.env, call.invocation);
    context = gathered.context;
    return { run: openRun(call, gathered, { mayPrompt: false, server: gathered.server }), context };
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return { run: error, context };
  }
}

function patient(call: Call, run: Run | OidcError, context: Context | undefined): Patient {
  const { machine } = call;
  const { examined } = machine;
  const folder = context?.folder ?? call.cwd;
  return {
    run,
    stanza: context === undefined ? undefined : stanzaOf(call, context),
    stanzaEnv: context?.env ?? {},
    env: call.env,
    kuberc: examined.kuberc(),
    resolve: (command) => examined.programOf(command, folder),
    clock: machine.clock,
    version: call.version,
    node: process.versions.node,
    server: serverOf(call, context),
    authorityBytes: context?.cluster?.certificateAuthorityData?.length,
    kubectl: () => examined.kubectlVersion(),
    proxies() {
      const urls = [isOidcError(run) ? undefined : new URL(run.settings.issuer), context?.server === undefined ? undefined : new URL(context.server.origin)];
      return urls.flatMap((url) => {
        const proxy = url === undefined ? undefined : examined.proxyFor(url);
        return url === undefined || proxy === undefined ? [] : [`${safeText(url.host, 100)} is reached through the proxy ${safeText(proxy.host, 100)}`];
      });
    },
  };
}

/** A cluster that cannot be used is what D-01 and D-14 say. */
function serverOf({ machine, signal }: Call, context: Context | undefined): Patient["server"] {
  if (context?.cluster === undefined) return undefined;
  try {
    return machine.apiServer(context.cluster, signal);
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return { review: () => Promise.reject(error) };
  }
}

function stanzaOf({ machine }: Call, context: Context): StanzaFacts {
  const { examined } = machine;
  return {
    contextName: context.contextName,
    apiVersion: context.apiVersion,
    command: context.command,
    interactiveMode: context.interactiveMode,
    provideClusterInfo: context.provideClusterInfo,
    server: context.cluster?.server,
    competing: context.competing,
    resolved: examined.programOf(context.command, context.folder),
    onPath: examined.programsNamed("kubectl-oidc"),
    own: examined.own(),
  };
}

const marks = { ok: "ok  ", warn: "WARN", fail: "FAIL", skipped: "-   " } as const;

/** One line a check, its cure below it; one sentence at the end. */
function textOf(checks: readonly Check[]): string {
  const lines = checks.flatMap(({ id, title, status, detail, cure }) => [
    `${marks[status]}  ${id}  ${title}: ${safeText(detail, 1_000)}`,
    ...(cure === undefined || status === "ok" ? [] : [`             cure: ${cure}`]),
  ]);
  const count = (status: Check["status"]) => checks.filter((check) => check.status === status).length;
  return `${[...lines, "", `${checks.length} checks: ${count("fail")} failed, ${count("warn")} with a warning, ${count("skipped")} skipped`].join("\n")}\n`;
}
