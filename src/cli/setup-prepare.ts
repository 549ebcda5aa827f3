import type { Run } from "../app/world.ts";
import { checkClientAuthentication, checkSupport } from "../core/checks/issuer.ts";
import type { Outcome } from "../core/checks/outcome.ts";
import { holds } from "../core/json-values.ts";
import { type PresetName, presetOf } from "../core/presets.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import { type Call, openRun } from "./call.ts";
import { mayBeAgreed } from "./confirm.ts";
import { chosenPreset, presetSource, setupSources, type StanzaOptions, stanzaOptions } from "./setup-options.ts";
import { type KubeconfigPlan, planKubeconfig } from "./setup-plan.ts";
import { type AdministratorTexts, administratorTexts, setCredentialsLine } from "./setup-report.ts";
import { type Seen, seenUser, type SetupToken, setupToken } from "./setup-session.ts";
import { type SetupTarget, setupTarget, setupTargetNow } from "./setup-target.ts";
import { auditFolderOf } from "./sources.ts";

/** All that setup knows before it asks for consent. Nothing is written yet, but for the session of a login. */
export interface PreparedSetup {
  readonly target: SetupTarget;
  readonly preset: PresetName;
  readonly run: Run;
  readonly options: StanzaOptions;
  readonly token: SetupToken;
  readonly seen: Seen;
  readonly plan: KubeconfigPlan;
  /** Undefined without `--harden`. */
  readonly harden: ReturnType<Call["machine"]["hardening"]["plan"]> | undefined;
  readonly texts: AdministratorTexts;
  /** The stanza with its secrets hidden. */
  readonly shownStanza: KubeconfigPlan["stanza"];
  /** The same by kubectl; undefined when a command could not say all of it. */
  readonly command: string | undefined;
}

/** Chooses context and preset, asks the issuer, logs in when that is needed, and plans. What is odd is said on the way. The codes of `setupCommand`. */
export async function prepareSetup(call: Call): Promise<PreparedSetup> {
  const { machine, invocation } = call;
  const { terminal } = machine;
  const target = setupTarget(call);
  const asked = setupSources(call, target);
  const preset = chosenPreset(call, asked);
  mayBeAgreed(call);
  const auditFolder = auditFolderOf(machine);
  const opened = openRun(call, { ...nothingElse, auditFolder, sources: asked }, { mayPrompt: false, server: undefined });
  terminal.say(
    `kubectl-oidc: setting up the context ${safeText(target.contextName, 80)} for ${shownUrl(opened.settings.issuer)} (${presetOf(preset).title}) as client ${safeText(opened.settings.clientId, 80)}`,
  );
  const { metadata } = await opened.world.inspectIssuer();
  const sources = [...asked, presetSource(preset, asked, listOf(metadata["scopes_supported"]))];
  const run = openRun(call, { ...nothingElse, auditFolder, sources }, { mayPrompt: terminal.stdinIsTerminal && terminal.stderrIsTerminal, server: undefined });
  const { settings, world } = run;
  for (const outcome of [checkSupport(metadata, settings), checkClientAuthentication(metadata, await world.clientProof(), world.clock.now())]) warnOf(call, outcome);
  const options = stanzaOptions(call, target, sources);
  for (const name of options.leftInEnvironment) terminal.warn(`${name} is a secret and is not written into the kubeconfig: kubectl needs it in its environment too`);

  const token = await setupToken(call, run);
  if (call.signal.aborted) fail("INTERRUPTED");
  if (token.fault !== undefined) terminal.say(`kubectl-oidc: no token was looked at: ${token.fault.message} [${token.fault.code}]`);
  const seen = seenUser(call, run, preset, token);
  for (const warning of seen.warnings) terminal.warn(warning);

  const plan = planKubeconfig(call, setupTargetNow(call, target), options);
  warnOfStanza(call, plan);
  const { path } = machine.examined.callable();
  const harden =
    invocation.flags["harden"] === true
      ? machine.hardening.plan({ issuers: [run.settings.issuer], clientIds: [run.settings.clientId], options: options.guarded }, path)
      : undefined;
  const shownStanza = machine.kubeconfig.withoutSecrets(plan.stanza);
  // kubectl config has no word for a cluster's extension.
  const isSayable = holds(shownStanza, plan.stanza) && Object.keys(options.ofCluster).length === 0;
  const command = isSayable ? setCredentialsLine(target.userName, plan.stanza) : undefined;
  return { target, preset, run, options, token, seen, plan, harden, texts: administratorTexts(call, seen), shownStanza, command };
}

const nothingElse = { server: undefined, context: undefined, looked: [], strict: undefined } as const;
const listOf = (value: unknown): readonly string[] | undefined => (Array.isArray(value) ? value.filter((one) => typeof one === "string") : undefined);

function warnOf(call: Call, { status, detail, cure }: Outcome): void {
  if (status === "warn" || status === "fail") call.machine.terminal.warn(`${detail}${cure === undefined ? "" : `; ${cure}`}`);
}

/** What will keep the stanza from being all that it could be. */
function warnOfStanza({ machine, invocation }: Call, { stanza }: KubeconfigPlan): void {
  const { isOnPath, path } = machine.examined.callable();
  if (!isOnPath && invocation.flags["absolute-path"] !== true)
    machine.terminal.warn(`kubectl-oidc is not on the PATH, so kubectl will not find it; put its folder there, or add --absolute-path (${safeText(path, 200)})`);
  if (!stanza.provideClusterInfo)
    machine.terminal.warn(
      "the cluster's authority is too large for provideClusterInfo: the session cannot be held to its API servers; keep only the certificates that the cluster needs",
    );
}
