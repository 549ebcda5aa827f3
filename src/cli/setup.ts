import { changeServers } from "../app/trusted-servers.ts";
import type { Run } from "../app/world.ts";
import { holds } from "../core/json-values.ts";
import { withServer } from "../core/server-trust.ts";
import { shellWord } from "../core/shell-word.ts";
import type { TokenReview } from "../core/token-proof.ts";
import { safeText } from "../core/untrusted-text.ts";
import { isOidcError, type OidcError } from "../errors/oidc-error.ts";
import { type Call, refuseUnsafeEnvironment } from "./call.ts";
import { agreed } from "./confirm.ts";
import { writeData, writeJson } from "./output.ts";
import { type PlannedChange, planKubeconfig } from "./setup-plan.ts";
import { type PreparedSetup, prepareSetup } from "./setup-prepare.ts";
import { administratorLines, planLines, userLines } from "./setup-report.ts";
import { reviewed, sayReview } from "./setup-review.ts";
import { failChanged, type SetupTarget, setupTargetNow } from "./setup-target.ts";
import { undoCommand } from "./undo.ts";

/** Whom the API server sees afterwards; undefined: it was not asked. */
type Review = TokenReview | OidcError | undefined;

/**
 * From a context, an issuer and a client ID to a kubectl that works: asks the issuer, logs in once, shows whom the API server will see, plans,
 * asks, writes. CONFIRMATION_REQUIRED; the codes of discovery, of a login and of the kubeconfig.
 */
export async function setupCommand(call: Call): Promise<void> {
  const { flags, output } = call.invocation;
  if (flags["undo"] === true) return undoCommand(call, "setup");
  refuseUnsafeEnvironment(call.env);
  const setup = await prepareSetup(call);
  const administrator = administratorLines(setup.texts, setup.preset);
  if (flags["dry-run"] === true) {
    if (output === "json") return writeJson(jsonOf(setup, { written: false, review: undefined }));
    // The plan is data when it is all that was asked for, and else for the person.
    const byKubectl = setup.command === undefined ? [] : ["", "# the same user by kubectl", setup.command];
    return writeData(`${[...planText(setup), ...administrator, ...byKubectl].join("\n")}\n`);
  }
  const show = (lines: readonly string[]) => {
    if (output !== "json") for (const line of lines) call.machine.terminal.say(line);
  };
  show(planText(setup));
  const written = setup.plan.changes.length > 0 || setup.harden?.changes === true;
  if (written) await agreed(call, "write this?");
  await write(call, setup);
  await trustServer(setup.run, setup.target);
  const review = await reviewed(call, setup.target, setup.token);
  sayReview(call, review);
  show(administrator);
  if (output === "json") return writeJson(jsonOf(setup, { written, review }));
  sayNext(call, setup.target);
}

/** Lines of the whole plan. */
function planText({ seen, plan, target, options, harden }: PreparedSetup): readonly string[] {
  const others = target.sharedWith.map((name) => safeText(name, 80));
  return [
    ...userLines(seen),
    ...planLines(plan.changes),
    ...(others.length === 0 ? [] : [`the user ${safeText(target.userName, 80)} is used by these contexts too: ${others.join(", ")}`]),
    ...(options.clientSecret === undefined ? [] : [`the client secret goes to ${safeText(options.clientSecret.path, 200)}, which only you can read`]),
    ...(harden?.changes === true ? [`${safeText(harden.file, 200)} is to say:`, "", ...harden.text.trimEnd().split("\n"), ""] : []),
  ];
}

/** What was agreed to, onto the kubeconfig as it is now: kubectl may have written it while the person thought. KUBECONFIG_UNWRITABLE. */
async function write(call: Call, { target, options, plan, harden }: PreparedSetup): Promise<void> {
  const { terminal, kubeconfig, hardening } = call.machine;
  const now = planKubeconfig(call, setupTargetNow(call, target), options);
  if (!holds(now.changes.map(changedLines), plan.changes.map(changedLines))) failChanged(target);
  options.clientSecret?.write(options.clientSecret.text);
  await kubeconfig.apply(now.changes, call.signal);
  if (harden !== undefined) hardening.apply(harden);
  for (const { file, backup, backupFile } of plan.changes)
    terminal.say(`kubectl-oidc: wrote ${safeText(file, 200)}${typeof backup === "string" ? `; as it was before, it is kept in ${safeText(backupFile, 200)}` : ""}`);
}

/** Where they stand may differ from what was shown: somebody put lines of their own before them meanwhile. */
const changedLines = ({ file, diff }: PlannedChange) => [file, ...diff.split("\n").filter((line) => /^[-+]/.test(line))];

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

function sayNext({ machine }: Call, { contextName, survey }: SetupTarget): void {
  const word = shellWord(contextName, process.platform) ?? "NAME";
  machine.terminal.say(`kubectl-oidc: try: kubectl get ns${contextName === survey.current ? "" : ` --context ${word}`}`);
}

/** docs/reference/json.md. No secret is in it. */
function jsonOf(
  { target, run, preset, seen, plan, texts, shownStanza, command }: PreparedSetup,
  { written, review }: { readonly written: boolean; readonly review: Review },
): object {
  const { expected, claims } = seen;
  return {
    context: target.contextName,
    user: target.userName,
    cluster: target.cluster.name,
    server: target.cluster.server?.origin ?? null,
    issuer: run.settings.issuer,
    clientId: run.settings.clientId,
    preset,
    claims: claims ?? null,
    expected: expected === undefined ? null : { username: expected.username ?? null, groups: expected.groups },
    stanza: shownStanza,
    command: command ?? null,
    changes: plan.changes.map(({ file, diff, backupFile }) => ({ file, diff, backup: backupFile })),
    written,
    review: review === undefined ? "not-asked" : isOidcError(review) ? "unreachable" : review.kind,
    administrator: texts,
  };
}
