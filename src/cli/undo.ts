import type { Machine } from "../compose.ts";
import { type Around, isOwnCommand, runsUs, undone, withFormerUser } from "../core/kubeconfig-edits.ts";
import { nearestContext } from "../core/nearest.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { Call } from "./call.ts";
import { agreed, mayBeAgreed } from "./confirm.ts";
import { writeData, writeJson } from "./output.ts";
import { planLines } from "./setup-report.ts";

type Survey = ReturnType<Machine["kubeconfig"]["survey"]>;

/**
 * `--undo`: the context as it was before our first change of it, from the text that was kept then; for `migrate` without `--context`, every
 * context. What others changed meanwhile stays. Nothing to undo is no error. CONFIRMATION_REQUIRED, KUBECONFIG_UNREADABLE, KUBECONFIG_UNWRITABLE.
 */
export async function undoCommand(call: Call, of: "setup" | "migrate"): Promise<void> {
  mayBeAgreed(call);
  const { flags, context, kubeconfig, output } = call.invocation;
  const { terminal, kubeconfig: files } = call.machine;
  const survey = files.survey({ kubeconfig });
  const named = context || (of === "setup" ? survey.current : undefined);
  if (named === undefined && of === "setup")
    fail("CONTEXT_NOT_FOUND", { message: "the kubeconfig has no current context", hint: "add --context NAME; kubectl config get-contexts lists them" });
  const planned = survey.files.flatMap((file) => {
    const backup = files.readBackup(file.file);
    if (backup === undefined) return [];
    const ofContexts = (named === undefined ? [...survey.contexts.keys()] : [named]).reduce(
      (config, name) => undone(config, backup.value, name, aroundOf(survey, config, name)),
      file.value,
    );
    // migrate changes users of no context too.
    const wanted =
      named === undefined
        ? [...survey.users.keys()].reduce((config, user) => withFormerUser(config, backup.value, user, { isWanted: false, isUsed: true }), ofContexts)
        : ofContexts;
    const change = files.planReturn(file, wanted);
    return change.before === change.after && change.backup === undefined ? [] : [change];
  });
  // A list may name one file twice, through a link.
  const changes = planned.filter(({ backupFile }, i) => planned.findIndex((other) => other.backupFile === backupFile) === i);
  const lines = changes.length === 0 ? [nothing(survey, named)] : planLines(changes);
  const isDry = flags["dry-run"] === true;
  if (output === "json") {
    if (!isDry && changes.length > 0) {
      await agreed(call, "put this back?");
      await files.apply(changes, call.signal);
    }
    return writeJson({ context: named ?? null, changes: changes.map(({ file, diff, backupFile }) => ({ file, diff, backup: backupFile })), written: !isDry && changes.length > 0 });
  }
  if (isDry) return writeData(`${lines.join("\n")}\n`);
  for (const line of lines) terminal.say(changes.length === 0 ? `kubectl-oidc: ${line}` : line);
  if (changes.length === 0) return;
  await agreed(call, "put this back?");
  await files.apply(changes, call.signal);
  for (const { file } of changes) terminal.say(`kubectl-oidc: ${safeText(file, 200)} is as it was`);
  terminal.say("kubectl-oidc: the session stays; kubectl oidc logout ends it");
  if (of === "migrate")
    terminal.say("kubectl-oidc: refresh tokens and client secrets that were moved do not come back; the former program logs in anew, with a client secret that you give it");
}

/** No error: whoever undoes twice is right twice. A misspelt name is said. */
function nothing({ contexts }: Survey, named: string | undefined): string {
  if (named === undefined || contexts.has(named)) return "there is nothing to undo";
  const near = nearestContext(named, [...contexts.keys()]);
  return `there is nothing to undo: the kubeconfig has no context ${safeText(named, 80)}${near === undefined ? "" : `; did you mean --context ${safeText(near, 80)}?`}`;
}

function aroundOf(survey: Survey, config: Readonly<Record<string, unknown>>, context: string): Around {
  return {
    user: survey.contexts.get(context)?.userName,
    cluster: survey.contexts.get(context)?.clusterName,
    isClusterShared: [...survey.contexts.values()].some(
      ({ name, clusterName, stanza }) => name !== context && clusterName === survey.contexts.get(context)?.clusterName && stanza !== undefined && isOwnCommand(stanza.command),
    ),
    isUsed: (user) => isUsed(survey, config, user, context),
    whose(user) {
      const value = survey.users.get(user)?.value;
      return value === undefined ? "nobodys" : runsUs(value) ? "ours" : "theirs";
    },
  };
}

/** Does another context use that user, in this file as it is to be or in another file? */
function isUsed(survey: Survey, config: Readonly<Record<string, unknown>>, user: string, context: string): boolean {
  const here = Array.isArray(config["contexts"]) ? (config["contexts"] as readonly { readonly name?: unknown; readonly context?: { readonly user?: unknown } }[]) : [];
  const ofThisFile = new Map(here.map((entry) => [entry.name, entry.context?.user]));
  return [...survey.contexts.values()].some(({ name, userName }) => name !== context && (ofThisFile.has(name) ? ofThisFile.get(name) : userName) === user);
}
