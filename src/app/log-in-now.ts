import { isMachineGrant, isPureMachine, lockName } from "../core/keys.ts";
import type { CredentialRecord, SecretItem } from "../core/session.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import { sayFault } from "./keep-session.ts";
import type { LoginEvent, LoginOrigin } from "./flow-context.ts";
import { logIn } from "./log-in.ts";
import { answerKept, nothingChanged, sessionKept } from "./login-failure.ts";
import { logInMachine } from "./log-in-machine.ts";
import { clearPause } from "./login-pause.ts";
import type { Run } from "./world.ts";

/** What a typed login may do. */
export interface LoginNow {
  readonly mayPrompt: boolean;
  readonly interactive: boolean;
  readonly events: ((event: LoginEvent) => void) | undefined;
  /** The context of the kubeconfig that the settings are from. */
  readonly context?: string | undefined;
  readonly audiences?: LoginOrigin["audiences"];
}

/**
 * `login`: logs in whatever is cached. The store is probed first, so that a person does not log in for nothing; the pause
 * ends; a login that is open already is waited for, then ours begins. The store's codes, LOGIN_TIMED_OUT, and those of `logIn`; an error says
 * that nothing was changed, or what was left behind.
 */
export async function logInNow(run: Run, how: LoginNow): Promise<CredentialRecord> {
  const left: { what?: "answer" | "session" } = {};
  try {
    return await logInOrLeave(run, how, (what) => {
      left.what = what;
    });
  } catch (error) {
    if (left.what === "session") throw sessionKept(error);
    throw left.what === "answer" ? answerKept(error) : nothingChanged(run, error);
  }
}

async function logInOrLeave(run: Run, how: LoginNow, onLeft: (what: "answer" | "session") => void): Promise<CredentialRecord> {
  const { world, settings, session } = run;
  if (!how.interactive && !isMachineGrant(settings.grant))
    fail("LOGIN_REQUIRED", { message: "this login needs a person, and --non-interactive forbids to ask one", hint: "leave --non-interactive out" });
  const isMachine = isPureMachine(settings.grant);
  if (!isMachine) await probe(run, how);
  clearPause(run);
  const locks = await world.locks();
  const onWait = () => world.terminal.say("kubectl-oidc: waiting for the login that is open already");
  const held = await locks.take(`login-${lockName(session)}`, settings.authenticationTimeout * 1000, run.signal, { onWait });
  if (held === undefined) return fail("LOGIN_TIMED_OUT", { message: "another login is open and nobody finished it in time" });
  try {
    clearPause(run);
    const origin = {
      command: "login" as const,
      mayPrompt: how.mayPrompt,
      onLeft,
      ...(how.events && { events: how.events }),
      ...(how.context !== undefined && { context: how.context }),
      ...(how.audiences && { audiences: how.audiences }),
    };
    const item = await storedItem(run);
    return await (isMachine ? logInMachine(run, origin, item) : logIn(run, origin, item));
  } finally {
    held.release();
  }
}

/** A keychain that takes longer than a moment asks the person something, in a window that may be hidden: said on a terminal. */
async function probe({ world, signal }: Run, how: LoginNow): Promise<void> {
  const done = new AbortController();
  const told = world.clock.sleep(1_000, AbortSignal.any([signal, done.signal])).then(
    () => (how.mayPrompt ? world.terminal.say(`kubectl-oidc: waiting for ${world.store.describe()}; it may ask you to unlock it`) : undefined),
    () => undefined,
  );
  try {
    await world.store.probe();
  } finally {
    done.abort();
    await told;
  }
}

/** What is stored now: its list of servers stays. One that cannot be read is said, and replaced. */
async function storedItem(run: Run): Promise<SecretItem | undefined> {
  try {
    return await run.world.secrets.read(run.session.itemName);
  } catch (error) {
    if (!isOidcError(error) || error.code === "STORE_UNREADABLE") throw error;
    sayFault(run, "the stored session could not be read", error);
    return undefined;
  }
}
