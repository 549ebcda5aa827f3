import { adoptionNote, type Adopted, adoptToken, type OldCopy, settleAdoption } from "../app/adopt-token.ts";
import { changeServers } from "../app/trusted-servers.ts";
import { refreshSession } from "../app/refresh-session.ts";
import type { Run } from "../app/world.ts";
import { foreignToken, isTokenOf } from "../core/foreign-token.ts";
import { nearestContext } from "../core/nearest.ts";
import { isSameServer } from "../core/server-trust.ts";
import type { TrustedServer } from "../core/session.ts";
import { sha256Hex } from "../core/sha256.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError, type OidcError } from "../errors/oidc-error.ts";
import { type Call, refuseUnsafeEnvironment } from "./call.ts";
import { agreed, mayBeAgreed } from "./confirm.ts";
import { type MigrationPlan, type Move, type PlannedUser, planMigration } from "./migrate-plan.ts";
import { commandOf, planText, shownUser } from "./migrate-text.ts";
import { writeData, writeJson } from "./output.ts";
import { undoCommand } from "./undo.ts";

/** What came of one move. `fault`: why it could not be tried, which is no failure. */
interface Outcome {
  readonly state: Adopted["state"] | "refused";
  /** Servers that the session's list does not have. */
  readonly unknown: readonly TrustedServer[];
  readonly fault?: OidcError;
}
type Outcomes = ReadonlyMap<Move, Outcome>;

/**
 * Makes users of kubelogin and of the former auth-provider users of ours, with their refresh tokens: plans, shows, asks, writes. Nothing is lost
 * by being cut short: the token is stored first, then the kubeconfig is written, then the old copy goes, and the same call again goes on.
 * CONFIRMATION_REQUIRED, CONTEXT_NOT_FOUND; the codes of the kubeconfig and of the stores.
 */
export async function migrateCommand(call: Call): Promise<void> {
  const { flags, output, kubeconfig } = call.invocation;
  if (flags["undo"] === true) return undoCommand(call, "migrate");
  refuseUnsafeEnvironment(call.env);
  const { terminal } = call.machine;
  const survey = call.machine.kubeconfig.survey({ kubeconfig });
  const context = call.invocation.context || undefined;
  if (context !== undefined && !survey.contexts.has(context)) failContext(context, [...survey.contexts.keys()]);
  const plan = planMigration(call, survey, context);
  const isTodo = plan.changes.length > 0 || plan.leftovers.length > 0;
  const isDry = flags["dry-run"] === true;
  const lines = [...planText(call, plan), ...(isTodo ? [] : ["nothing is left to do"])];
  if (output !== "json" && isDry) return writeData(`${lines.join("\n")}\n`);
  if (output !== "json") for (const line of lines) terminal.say(isTodo ? line : `kubectl-oidc: ${line}`);
  if (output === "json" && isTodo) mayBeAgreed(call);
  let outcomes: Outcomes = new Map();
  if (isTodo && !isDry) {
    warnOfPath(call);
    await agreed(call, "do this?");
    if (call.signal.aborted) fail("INTERRUPTED");
    outcomes = await carryOut(call, plan);
    for (const user of plan.users) tell(call, user, outcomes);
  }
  if (output === "json") return writeJson(jsonOf(plan, outcomes, isTodo && !isDry, kubeconfig));
}

function failContext(context: string, known: readonly string[]): never {
  const near = nearestContext(context, known);
  return fail("CONTEXT_NOT_FOUND", {
    message: `the kubeconfig has no context ${safeText(context, 80)}`,
    ...(near === undefined ? {} : { hint: `did you mean --context ${safeText(near, 80)}?` }),
  });
}

function warnOfPath(call: Call): void {
  const { isOnPath, path } = call.machine.examined.callable();
  if (!isOnPath && call.invocation.flags["absolute-path"] !== true)
    call.machine.terminal.warn(`kubectl-oidc is not on the PATH, so kubectl will not find it; put its folder there, or add --absolute-path (${safeText(path, 200)})`);
}

async function carryOut(call: Call, { users, moves, changes, leftovers }: MigrationPlan): Promise<Outcomes> {
  const { terminal } = call.machine;
  // A token that has moved while its kubeconfig stays would be in two programs' hands.
  await call.machine.kubeconfig.tryApply(changes, call.signal);
  const adopted = new Map<Move, Adopted>();
  for (const move of moves) adopted.set(move, await adopt(move));
  for (const { carried, run } of users) {
    if (carried?.clientSecret !== undefined && run !== undefined) call.machine.keptClientSecret(run.settings.issuer, run.settings.clientId).write(carried.clientSecret);
  }
  await call.machine.kubeconfig.apply(changes, call.signal);
  for (const { file, backup, backupFile } of changes)
    terminal.say(
      `kubectl-oidc: wrote ${safeText(file, 200)}${typeof backup === "string" ? `; as it was before, without the secrets that moved, it is kept in ${safeText(backupFile, 200)}` : ""}`,
    );
  for (const { run, path } of [...moves, ...leftovers.map(({ run, note }) => ({ run, path: note.path }))]) {
    if (path !== undefined) await call.machine.kubeloginCache.idle(path, call.signal, () => terminal.say("kubectl-oidc: waiting for kubelogin, which is using the session"));
    const settled = await settleAdoption(run, oldCopy(call, run, path));
    if (path === undefined) continue;
    if (settled === "gone") terminal.say(`kubectl-oidc: removed ${safeText(path, 300)}`);
    else terminal.warn(`${safeText(path, 300)} stays: ${settled === "theirs" ? "somebody else has logged in there" : "it cannot be removed; remove it, or run this again"}`);
  }
  const outcomes = new Map<Move, Outcome>();
  for (const [move, adoption] of adopted) outcomes.set(move, adoption.state === "moved" ? await tryOut(call, move, adoption) : adoption);
  return outcomes;
}

/** KEYCHAIN_UNAVAILABLE with a cure for this command, which has no option for the storage. */
async function adopt({ run, token, path, servers }: Move): Promise<Adopted> {
  try {
    return await sayingWhenSlow(run, () => adoptToken(run, token, path, servers));
  } catch (error) {
    if (!isOidcError(error) || error.code !== "KEYCHAIN_UNAVAILABLE") throw error;
    return fail("KEYCHAIN_UNAVAILABLE", {
      message: `${error.message}; the kubeconfig was not changed`,
      ...(error.reason === undefined ? {} : { reason: error.reason }),
      hint: "start a keychain service (gnome-keyring, KWallet), or choose the disk: add --token-cache-storage=disk to the user's args, or token-cache-storage: disk to the defaults: of config.yaml",
    });
  }
}

/** kubelogin's file, as long as it holds the token that was taken, or tokens of this issuer and client. */
function oldCopy(call: Call, run: Run, path: string | undefined): OldCopy {
  const { kubeloginCache } = call.machine;
  return {
    path,
    read() {
      const entry = path === undefined ? undefined : kubeloginCache.entry(path);
      if (entry === undefined) return undefined;
      const isTaken = adoptionNote(run)?.digests.includes(sha256Hex(entry.refreshToken.reveal())) === true;
      return isTaken || isTokenOf(entry.idToken, run.settings) ? foreignToken(entry.refreshToken, entry.idToken) : undefined;
    },
    remove: () => path === undefined || kubeloginCache.remove(path),
  };
}

/** One refresh, so that nobody learns at the next kubectl that the token is worth nothing. A fault is no failure: it is tried again then. */
async function tryOut(call: Call, { reopen }: Move, { unknown, isListNew }: Adopted): Promise<Outcome> {
  try {
    const run = reopen();
    const refreshed = await refreshSession(run, undefined);
    for (const warning of run.later) run.world.terminal.warn(warning);
    if (refreshed.kind === "refused" || refreshed.kind === "none") {
      // Whoever brought a token that is worth nothing does not say which servers the next login is for.
      if (isListNew) await changeServers(run, () => []);
      return { state: "refused", unknown };
    }
    // What these settings want beside is for the next login to say.
    if (refreshed.kind === "token" || refreshed.kind === "outdated") return { state: "moved", unknown };
    throw refreshed.error;
  } catch (error) {
    if (!isOidcError(error) || error.code === "INTERRUPTED" || call.signal.aborted) throw error;
    // The issuer answered for somebody else: nothing is stored any more.
    return error.code === "ACCOUNT_MISMATCH" ? { state: "refused", unknown, fault: error } : { state: "moved", unknown, fault: error };
  }
}

/** A keychain that takes longer than a moment asks the person something, in a window that may be hidden (cli.md M3). */
async function sayingWhenSlow<T>({ world, signal }: Run, action: () => Promise<T>): Promise<T> {
  const done = new AbortController();
  const told = world.clock.sleep(1_000, AbortSignal.any([signal, done.signal])).then(
    () => world.terminal.say(`kubectl-oidc: waiting for ${world.store.describe()}; it may ask you to unlock it`),
    () => undefined,
  );
  try {
    return await action();
  } finally {
    done.abort();
    await told;
  }
}

/** What became of a user, in a line. */
function tell(call: Call, user: PlannedUser, outcomes: Outcomes): void {
  const { terminal } = call.machine;
  if (user.carried === undefined) return;
  const { isWarning, text } = endOf(call, user, outcomes);
  if (isWarning) terminal.warn(`${shownUser(user)}: ${text}`);
  else terminal.say(`kubectl-oidc: ${shownUser(user)}: ${text}`);
  for (const text of unknownServers(user, outcomes, call.invocation.kubeconfig)) terminal.warn(`${shownUser(user)}: ${text}`);
}

/** The servers of this user that get no token until they are on the list of the session, which was there before. */
function unknownServers({ token, servers, contexts }: PlannedUser, outcomes: Outcomes, kubeconfig: string | undefined): readonly string[] {
  const unknown = "move" in token ? (outcomes.get(token.move)?.unknown ?? []) : [];
  const own = unknown.filter((server) => servers.some((one) => one !== undefined && isSameServer(one, server)));
  return [...new Set(own.map(({ origin }) => origin))].map(
    (origin) =>
      `the stored session does not know the API server ${safeText(origin, 120)}, which gets no token; if it is yours: ${commandOf("trust add", { contexts }, kubeconfig)}`,
  );
}

function endOf(call: Call, user: PlannedUser, outcomes: Outcomes): { readonly isWarning: boolean; readonly text: string } {
  const { token } = user;
  const outcome = "move" in token ? outcomes.get(token.move) : undefined;
  const login = commandOf("login", user, call.invocation.kubeconfig);
  if (outcome?.state === "refused") return { isWarning: true, text: `the issuer does not accept the refresh token any more; log in: ${login}` };
  if (outcome?.fault !== undefined)
    return { isWarning: true, text: `the refresh token is stored; it could not be tried now, kubectl will: ${outcome.fault.message} [${outcome.fault.code}]` };
  if (outcome?.state === "moved") return { isWarning: false, text: `the refresh token rests in ${user.run?.world.store.describe()} now, and works` };
  if (outcome?.state === "kept-ours") return { isWarning: false, text: "the session that was stored already stays" };
  return {
    isWarning: false,
    text:
      token.state === "not-carried-over"
        ? `taken over without its session; log in: ${login}`
        : user.run?.session.record?.hasRefreshToken === true
          ? "taken over; it uses the session that was stored already"
          : "taken over; it had no refresh token, so the first kubectl logs in",
  };
}

function jsonOf({ users, changes }: MigrationPlan, outcomes: Outcomes, written: boolean, kubeconfig: string | undefined): object {
  return {
    written,
    users: users.map((user) => {
      const { name, contexts, kind, carried, problem, token, losses } = user;
      const outcome = "move" in token ? outcomes.get(token.move) : undefined;
      const refused = outcome?.state === "refused" ? ["the issuer does not accept the refresh token any more: log in"] : [];
      return {
        user: name,
        contexts,
        kind,
        action: kind === "ours" ? "nothing-to-do" : carried === undefined ? "not-carried-over" : written ? "rewritten" : "would-rewrite",
        refreshToken: problem !== undefined || refused.length > 0 ? "not-carried-over" : (outcome?.state ?? token.state),
        losses: [
          ...(problem === undefined ? [] : [problem]),
          ...(token.state === "not-carried-over" ? [`the refresh token: ${token.reason}`] : []),
          ...refused,
          ...unknownServers(user, outcomes, kubeconfig),
          ...losses,
        ],
      };
    }),
    changes: changes.map(({ file, diff, backupFile }) => ({ file, diff, backup: backupFile })),
  };
}
