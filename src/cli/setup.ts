import { changeServers } from "../app/trusted-servers.ts";
import type { Run } from "../app/world.ts";
import type { Outcome } from "../core/checks/outcome.ts";
import { checkClientAuthentication, checkSupport } from "../core/checks/issuer.ts";
import { holds } from "../core/json-values.ts";
import { presetOf } from "../core/presets.ts";
import { withServer } from "../core/server-trust.ts";
import { shellWord } from "../core/shell-word.ts";
import type { TokenReview } from "../core/token-proof.ts";
import { safeText, shownUrl } from "../core/untrusted-text.ts";
import { fail, isOidcError, type OidcError } from "../errors/oidc-error.ts";
import { type Call, openRun, refuseUnsafeEnvironment } from "./call.ts";
import { agreed, mayBeAgreed } from "./confirm.ts";
import { writeData, writeJson } from "./output.ts";
import { chosenPreset, presetSource, setupSources, stanzaOptions } from "./setup-options.ts";
import { planKubeconfig, type PlannedChange } from "./setup-plan.ts";
import { administratorLines, administratorTexts, planLines, setCredentialsLine, userLines } from "./setup-report.ts";
import { reviewed, sayReview } from "./setup-review.ts";
import { seenUser, setupToken } from "./setup-session.ts";
import { failChanged, type SetupTarget, setupTarget, setupTargetNow } from "./setup-target.ts";
import { undoCommand } from "./undo.ts";

/**
 * From a context, an issuer and a client ID to a kubectl that works: asks the issuer, logs in once, shows whom the API server will see, plans,
 * asks, writes. CONFIRMATION_REQUIRED; the codes of discovery, of a login and of the kubeconfig.
 */
export async function setupCommand(call: Call): Promise<void> {
  if (call.invocation.flags["undo"] === true) return undoCommand(call, "setup");
  refuseUnsafeEnvironment(call.env);
  const isDry = call.invocation.flags["dry-run"] === true;
  const isJson = call.invocation.output === "json";
  const { terminal } = call.machine;
  const plain: string[] = [];
  // The plan is data when it is all that was asked for, and else for the person.
  const show = (lines: readonly string[]) => {
    if (isJson) return;
    if (isDry) plain.push(...lines);
    else for (const line of lines) terminal.say(line);
  };

  const target = setupTarget(call);
  const asked = setupSources(call, target);
  const preset = chosenPreset(call, asked);
  mayBeAgreed(call);
  const opened = openRun(call, { ...nothingElse, sources: asked }, { mayPrompt: false, server: undefined });
  terminal.say(
    `kubectl-oidc: setting up the context ${safeText(target.contextName, 80)} for ${shownUrl(opened.settings.issuer)} (${presetOf(preset).title}) as client ${safeText(opened.settings.clientId, 80)}`,
  );
  const { metadata } = await opened.world.inspectIssuer();
  const sources = [...asked, presetSource(preset, asked, listOf(metadata["scopes_supported"]))];
  const run = openRun(call, { ...nothingElse, sources }, { mayPrompt: terminal.stdinIsTerminal && terminal.stderrIsTerminal, server: undefined });
  for (const outcome of [checkSupport(metadata, run.settings.grant), checkClientAuthentication(metadata, hasSecret(run))]) warnOf(call, outcome);
  const options = stanzaOptions(call, target, sources);

  for (const name of options.leftInEnvironment) terminal.warn(`${name} is a secret and is not written into the kubeconfig: kubectl needs it in its environment too`);

  const token = await setupToken(call, run);
  if (call.signal.aborted) fail("INTERRUPTED");
  if (token.fault !== undefined) terminal.say(`kubectl-oidc: no token was looked at: ${token.fault.message} [${token.fault.code}]`);
  const seen = seenUser(call, run, preset, token);
  for (const warning of seen.warnings) terminal.warn(warning);
  const plan = planKubeconfig(call, setupTargetNow(call, target), options);
  const callable = call.machine.examined.callable();
  if (!callable.isOnPath && call.invocation.flags["absolute-path"] !== true)
    terminal.warn(`kubectl-oidc is not on the PATH, so kubectl will not find it; put its folder there, or add --absolute-path (${safeText(callable.path, 200)})`);
  if (!plan.stanza.provideClusterInfo)
    terminal.warn("the cluster's authority is too large for provideClusterInfo: the session cannot be held to its API servers; keep only the certificates that the cluster needs");
  const harden =
    call.invocation.flags["harden"] === true
      ? call.machine.hardening.plan({ issuers: [run.settings.issuer], clientIds: [run.settings.clientId], options: options.guarded }, callable.path)
      : undefined;
  const texts = administratorTexts(call, seen);
  const shownStanza = call.machine.kubeconfig.withoutSecrets(plan.stanza);
  // A command that does not say all of it makes another user.
  const command = holds(shownStanza, plan.stanza) ? setCredentialsLine(target.userName, plan.stanza) : undefined;

  show(userLines(seen));
  show(planLines(plan.changes));
  if (target.sharedWith.length > 0)
    show([`the user ${safeText(target.userName, 80)} is used by these contexts too: ${target.sharedWith.map((name) => safeText(name, 80)).join(", ")}`]);
  if (options.clientSecret !== undefined) show([`the client secret goes to ${safeText(options.clientSecret.path, 200)}, which only you can read`]);
  if (harden?.changes === true) show([`${safeText(harden.file, 200)} is to say:`, "", ...harden.text.trimEnd().split("\n"), ""]);
  const changes = plan.changes.length > 0 || harden?.changes === true;
  let review: TokenReview | OidcError | undefined;
  if (!isDry) {
    if (changes) await agreed(call, "write this?");
    const agreedOn = planKubeconfig(call, setupTargetNow(call, target), options);
    if (!holds(agreedOn.changes.map(changedLines), plan.changes.map(changedLines))) failChanged(target);
    options.clientSecret?.write(options.clientSecret.text);
    await call.machine.kubeconfig.apply(agreedOn.changes, call.signal);
    if (harden !== undefined) call.machine.hardening.apply(harden);
    for (const { file, backup, backupFile } of plan.changes)
      terminal.say(`kubectl-oidc: wrote ${safeText(file, 200)}${typeof backup === "string" ? `; as it was before, it is kept in ${safeText(backupFile, 200)}` : ""}`);
    await trustServer(run, target);
    review = await reviewed(call, target, token);
    sayReview(call, review);
  }
  show(administratorLines(texts, preset));
  if (isDry && command !== undefined) show(["", "# the same user by kubectl", command]);
  if (isDry && !isJson) return writeData(`${plain.join("\n")}\n`);
  if (isJson) {
    return writeJson({
      context: target.contextName,
      user: target.userName,
      cluster: target.cluster.name,
      server: target.cluster.server?.origin ?? null,
      issuer: run.settings.issuer,
      clientId: run.settings.clientId,
      preset,
      claims: seen.claims ?? null,
      expected: seen.expected === undefined ? null : { username: seen.expected.username ?? null, groups: seen.expected.groups },
      stanza: shownStanza,
      command: command ?? null,
      changes: plan.changes.map(({ file, diff, backupFile }) => ({ file, diff, backup: backupFile })),
      written: !isDry && changes,
      review: review === undefined ? "not-asked" : isOidcError(review) ? "unreachable" : review.kind,
      administrator: texts,
    });
  }
  const word = shellWord(target.contextName, process.platform) ?? "NAME";
  terminal.say(`kubectl-oidc: try: kubectl get ns${target.contextName === target.survey.current ? "" : ` --context ${word}`}`);
}

const nothingElse = { server: undefined, context: undefined, looked: [], strict: undefined } as const;
const listOf = (value: unknown): readonly string[] | undefined => (Array.isArray(value) ? value.filter((one) => typeof one === "string") : undefined);
/** Where they stand may differ from what was shown: somebody put lines of their own before them meanwhile. */
const changedLines = ({ file, diff }: PlannedChange) => [file, ...diff.split("\n").filter((line) => /^[-+]/.test(line))];
const hasSecret = ({ settings }: Run) => settings.clientSecret !== undefined || settings.clientSecretFile !== undefined;

function warnOf(call: Call, { status, detail, cure }: Outcome): void {
  if (status === "warn" || status === "fail") call.machine.terminal.warn(`${detail}${cure === undefined ? "" : `; ${cure}`}`);
}

/** The context's server enters the session's list (cli.md M9). A store that cannot be had now is said: the first kubectl says it again. */
async function trustServer(run: Run, { cluster }: SetupTarget): Promise<void> {
  const { server } = cluster;
  if (server === undefined || !run.world.store.keeps) return;
  try {
    await changeServers(run, (known) => withServer(known, server));
  } catch (error) {
    if (!isOidcError(error) || error.code === "INTERRUPTED") throw error;
    run.world.terminal.warn(`the API server could not be added to the session's list: ${error.message} [${error.code}]; ${error.hint}`);
  }
}
