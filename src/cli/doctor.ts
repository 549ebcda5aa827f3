import { type Check, examine, type Patient } from "../app/doctor.ts";
import type { Run } from "../app/world.ts";
import { type CheckId, likeliest } from "../core/checks/outcome.ts";
import type { ProgramFacts } from "../core/checks/program.ts";
import type { SourceFacts } from "../core/checks/sources.ts";
import type { StanzaFacts } from "../core/checks/stanza.ts";
import { unknownVariables } from "../core/option-names.ts";
import { originsOf } from "../core/provenance.ts";
import { shellWord } from "../core/shell-word.ts";
import { variablesNotCounted } from "../core/strict.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError, type OidcError } from "../errors/oidc-error.ts";
import { type Call, openRun } from "./call.ts";
import { commandTable } from "./command-table.ts";
import { exactHint } from "./hints.ts";
import { faultOfOwnSources, type Gathered, gatherForPerson } from "./sources.ts";
import { writeData, writeJson } from "./output.ts";

type Context = NonNullable<Gathered["context"]>;

/** Numbered checks, each with its cure. Ends with 0, or the exit of the first check that failed (cli.md M12). Nothing in it is secret. */
export async function doctorCommand(call: Call): Promise<number> {
  const found = await examine(patient(call, sessionOf(call)));
  if (call.signal.aborted) fail("INTERRUPTED");
  // What is pasted must mean this context and these options.
  const checks = found.map((check) => (check.cure === undefined ? check : { ...check, cure: exactHint(check.cure, call) }));
  if (call.invocation.output === "json")
    await writeJson({ checks: checks.map(({ id, title, status, detail, cure }) => ({ id, title, status, detail: safeText(detail, longestDetail), cure: cure ?? null })) });
  else await writeData(textOf(checks));
  return checks.find(({ status }) => status === "fail")?.exit ?? 0;
}

/** Characters. */
const longestDetail = 2_000;

/** The session that the options name; what is wrong with them is a finding, not the end. */
interface Session {
  readonly run: Run | OidcError;
  readonly faultIn: CheckId;
  /** Undefined: the settings could not even be gathered. */
  readonly gathered: Gathered | undefined;
}

function sessionOf(call: Call): Session {
  const found: { gathered: Gathered | undefined } = { gathered: undefined };
  try {
    const gathered = gatherForPerson(call.machine, call.env, call.invocation);
    found.gathered = gathered;
    return { run: openRun(call, gathered, { mayPrompt: false, server: gathered.server }), faultIn: "D-01", gathered };
  } catch (error) {
    if (!isOidcError(error)) throw error;
    const isOwn = found.gathered === undefined && faultOfOwnSources(call.machine, call.env) !== undefined;
    const isStore = found.gathered !== undefined && error.exitStatus === 50;
    return { run: error, faultIn: isOwn ? "D-23" : isStore ? "D-16" : "D-01", gathered: found.gathered };
  }
}

function patient(call: Call, { run, faultIn, gathered }: Session): Patient {
  const { machine, env } = call;
  const { examined } = machine;
  const context = gathered?.context;
  const folder = context?.folder ?? call.cwd;
  const program = programOf(call);
  const strict = gathered?.strict;
  return {
    run,
    faultIn,
    stanza: context === undefined ? undefined : stanzaOf(call, context, program),
    stanzaEnv: context?.env ?? {},
    env,
    sources: sourcesOf(call, gathered),
    kuberc: examined.kuberc(),
    resolve: (command) => examined.programOf(command, folder),
    clock: machine.clock,
    platform: process.platform,
    program,
    server: serverOf(call, context),
    authorityBytes: context?.cluster?.certificateAuthorityData?.length,
    kubectl: () => examined.kubectlVersion(),
    roots: () => examined.roots(),
    notCounted: strict === undefined ? [] : variablesNotCounted(env, strict.allow),
    proxies() {
      const through = (url: URL | undefined, proxy: URL | undefined) =>
        url === undefined || proxy === undefined ? undefined : `${safeText(url.host, 100)} is reached through the proxy ${safeText(proxy.host, 100)}`;
      const issuer = isOidcError(run) ? undefined : new URL(run.settings.issuer);
      const server = context?.server === undefined ? undefined : new URL(context.server.origin);
      const ofCluster = context?.cluster?.proxyUrl;
      return {
        issuer: through(issuer, issuer === undefined ? undefined : examined.proxyFor(issuer)),
        server: through(server, ofCluster !== undefined && URL.canParse(ofCluster) ? new URL(ofCluster) : server === undefined ? undefined : examined.proxyFor(server)),
      };
    },
  };
}

/** Settings that cannot be merged are what D-01 says. */
function sourcesOf({ env }: Call, gathered: Gathered | undefined): SourceFacts {
  const unknown = unknownVariables({ ...env, ...gathered?.context?.env });
  const usesContext = gathered?.context !== undefined;
  try {
    if (gathered !== undefined) return { sources: gathered.sources, origins: originsOf(gathered.sources, env), unknown, usesContext };
  } catch (error) {
    if (!isOidcError(error)) throw error;
  }
  return { sources: undefined, origins: [], unknown, usesContext };
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

function programOf({ machine, program }: Call): ProgramFacts {
  const { examined } = machine;
  // kubectl joins the words of a plugin's name with dashes, and writes a dash within one as an underscore.
  const shadows = Object.keys(commandTable).flatMap((command) => examined.programsNamed(`kubectl-oidc-${command.replaceAll("-", "_")}`).map((path) => ({ command, path })));
  return {
    own: examined.own(),
    copies: examined.programsNamed("kubectl-oidc"),
    shadows,
    kubelogin: examined.programsNamed("kubectl-oidc_login"),
    completion: examined.programsNamed("kubectl_complete-oidc"),
    version: program.version,
    runtime: program.runtime,
  };
}

function stanzaOf({ machine, invocation }: Call, context: Context, { own, copies, kubelogin }: ProgramFacts): StanzaFacts {
  const name = shellWord(context.contextName, process.platform);
  return {
    contextName: context.contextName,
    user: { name: context.userName, kubeconfig: invocation.kubeconfig, platform: process.platform },
    apiVersion: context.apiVersion,
    command: context.command,
    word: context.word,
    interactiveMode: context.interactiveMode,
    provideClusterInfo: context.provideClusterInfo,
    server: context.cluster?.server,
    competing: context.competing,
    resolved: machine.examined.programOf(context.command, context.folder),
    onPath: copies,
    kubelogin,
    own,
    migrate: name !== undefined ? `run: kubectl oidc migrate --context=${name}` : "run: kubectl oidc migrate",
  };
}

const marks = { ok: "ok  ", warn: "WARN", fail: "FAIL", skipped: "-   " } as const;

/** One line a check, its cure below it; at the end how many, and what to begin with when something failed. */
function textOf(checks: readonly Check[]): string {
  const cause = likeliest(checks);
  const lines = checks.flatMap(({ id, title, status, detail, cure }) => [
    `${marks[status]}  ${id}  ${title}: ${safeText(detail, longestDetail)}`,
    ...(cure === undefined || status === "ok" ? [] : [`             cure: ${cure}`]),
  ]);
  const count = (status: Check["status"]) => checks.filter((check) => check.status === status).length;
  const summary = `${checks.length} checks: ${count("fail")} failed, ${count("warn")} with a warning, ${count("skipped")} skipped`;
  return `${[...lines, "", summary, ...(cause === undefined ? [] : causeLines(cause))].join("\n")}\n`;
}

/** What to begin with: of several findings, one is often why the others are there. */
const causeLines = ({ id, title, detail, cure }: Check) => [
  `most likely: ${id} ${title}: ${safeText(detail, longestDetail)}`,
  ...(cure === undefined ? [] : [`       cure: ${cure}`]),
];
