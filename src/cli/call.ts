import { chooseSession, type Run } from "../app/world.ts";
import type { Machine } from "../compose.ts";
import { unknownVariables } from "../core/option-names.ts";
import { originsOf } from "../core/provenance.ts";
import type { BuiltProgram } from "../core/program-form.ts";
import type { TrustedServer } from "../core/session.ts";
import { resolveSettings, type Settings } from "../core/settings.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { Invocation } from "./program.ts";
import type { Gathered } from "./sources.ts";

export { refuseUnsafeEnvironment } from "./unsafe-environment.ts";

/** One command that runs: what it was given, and the computer it runs on. */
export interface Call {
  readonly machine: Machine;
  readonly invocation: Extract<Invocation, { kind: "command" }>;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly program: BuiltProgram;
  /** Ends at Ctrl-C, at a signal, and (get-token) when the parent is gone. */
  readonly signal: AbortSignal;
  /** Puts that end off until the action is done. */
  undisturbed<T>(action: () => Promise<T>): Promise<T>;
}

/** Settings, session and world of a call. The codes of settings and of the session store. */
export function openRun(
  call: Call,
  gathered: Gathered,
  how: { readonly mayPrompt: boolean; readonly server: TrustedServer | undefined; readonly notCounted?: readonly string[] },
): Run {
  sayOrigins(call, gathered);
  const settings = call.machine.withIdentity(call.machine.withPaths(settingsOf(call, gathered)));
  const session = chooseSession(settings, call.machine.sessionsIn(call.machine.folderOf(settings)));
  const circumstances = { signal: call.signal, undisturbed: call.undisturbed, notCounted: how.notCounted ?? [], auditFolder: gathered.auditFolder };
  const world = call.machine.world(settings, { mayPrompt: how.mayPrompt, ...circumstances }, session.itemName);
  return { world, settings, session, server: how.server, signal: call.signal, later: [] };
}

/** With -v1, before anything else: where each setting comes from that is not left to its default. Never a secret. */
function sayOrigins({ machine, env, invocation }: Call, { sources, looked }: Gathered): void {
  if (invocation.verbosity < 1) return;
  const say = (text: string) => machine.terminal.log(1, text);
  const read = sources.map(({ label }) => label);
  for (const path of looked) say(`configuration file ${safeText(path)}: ${read.includes(path) ? "read" : "not there, or not counted"}`);
  for (const { name, shown, where } of originsOf(sources, env)) say(`${name} = ${shown} (${where})`);
  for (const { name, near } of unknownVariables(env)) say(`${safeText(name, 60)} is no variable of this program${near === undefined ? "" : `; did you mean ${near}?`}`);
}

/** What is missing may stand in a variable whose name is misspelt. */
function settingsOf(call: Call, gathered: Gathered): Settings {
  try {
    return resolveSettings(gathered.sources);
  } catch (error) {
    const misspelt = unknownVariables(call.env).find(({ near }) => near !== undefined);
    if (!isOidcError(error) || error.code !== "SETTINGS_INCOMPLETE" || misspelt?.near === undefined) throw error;
    return fail(error.code, { message: error.message, hint: `did you mean ${misspelt.near}? ${safeText(misspelt.name, 60)} is no variable of this program` });
  }
}

/** CI counts as set unless it is empty, `0` or `false` (cli.md M4). */
export function runsInCi(env: Call["env"]): boolean {
  return !["", "0", "false"].includes(env["CI"] ?? "");
}
