import { stderrWriter } from "../adapters/stderr-writer.ts";
import { machine, type Process } from "../compose.ts";
import { keychainOf, type ProgramForm, runtimeOf } from "../core/program-form.ts";
import { ownVariables } from "../core/program-search.ts";
import { safeJson } from "../core/untrusted-text.ts";
import { isOidcError, missingPart, OidcError } from "../errors/oidc-error.ts";
import { errorJson, terminalLines } from "../errors/render.ts";
import type { Call } from "./call.ts";
import { auditCommand } from "./audit.ts";
import { answerCompletion, completionCommand } from "./completion.ts";
import { type Ending, watchEnding } from "./ending.ts";
import { getTokenCommand } from "./get-token.ts";
import { exactHint } from "./hints.ts";
import { loginCommand, writeErrorEvent } from "./login.ts";
import { logoutCommand } from "./logout.ts";
import { writeData } from "./output.ts";
import { commandWord } from "./arguments.ts";
import type { CommandName } from "./command-table.ts";
import { type Invocation, readCommandLine } from "./program.ts";
import { statusCommand } from "./status.ts";
import { tokenCommand } from "./token.ts";
import { trustCommand } from "./trust.ts";
import { versionCommand } from "./version.ts";
import { whoamiCommand } from "./whoami.ts";

// Filled by the build.
declare const PROGRAM_VERSION: string;
declare const PROGRAM_COMMIT: string;

const commands: Readonly<Record<Exclude<CommandName, "doctor">, (call: Call) => Promise<void>>> = {
  "get-token": getTokenCommand,
  // Bundles of their own, with doctor: what only a person at the keyboard needs is not compiled for every refresh (3 ms of 70).
  setup: async (call) => (await import("./setup.ts")).setupCommand(call),
  migrate: async (call) => (await import("./migrate.ts")).migrateCommand(call),
  login: loginCommand,
  token: tokenCommand,
  status: statusCommand,
  whoami: whoamiCommand,
  logout: logoutCommand,
  trust: trustCommand,
  audit: auditCommand,
  completion: completionCommand,
  version: versionCommand,
};

/** What happened before this program was loaded. */
export type Start = Pick<Process, "waited" | "keychain">;

/** The program behind the hot path. Every way out leads through `finish`. */
export async function main(form: ProgramForm = "npm", start: Start = {}): Promise<void> {
  const argv = process.argv.slice(2);
  const env = { ...process.env };
  for (const [name, value] of Object.entries(ownVariables(env, process.platform))) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  // Node's own warnings (deprecations, the insecure-TLS notice) would break the three lines of an error.
  process.removeAllListeners("warning");
  process.on("warning", () => undefined);
  const known: { call: Call | undefined; json: boolean } = { call: undefined, json: wantsJson(argv) };
  const finish = (error: unknown) => process.exit(report(error, known));
  process.on("uncaughtException", finish);
  process.on("unhandledRejection", finish);
  // A wait that nothing can end any more must not look like success.
  process.on("beforeExit", () => finish(new Error("nothing is left to wait for")));
  const ending = watchEnding(() => finish(new OidcError("INTERRUPTED", {})));
  if (start.waited?.signal !== undefined) process.kill(process.pid, start.waited.signal);
  let status = 0;
  try {
    if (argv[0] === "__complete") {
      await answerCompletion(machineOf(env, 0, form), argv.slice(1));
      process.exit(0);
    }
    const invocation = readCommandLine(argv);
    if (invocation.kind === "help") {
      // The plugin's stdout is one ExecCredential or nothing: whoever asks it for help reads stderr.
      if (isPlugin(argv)) sayAll(invocation.text.trimEnd().split("\n"));
      else await writeData(invocation.text);
    } else {
      known.call = callOf(invocation, argv, env, ending, form, start);
      if (invocation.command === "get-token") ending.watchParent();
      // A report is no error, and still says who must act (cli.md M12).
      if (invocation.command === "doctor") status = await (await import("./doctor.ts")).doctorCommand(known.call);
      else await commands[invocation.command](known.call);
    }
    process.exit(status);
  } catch (error) {
    // What is wrong with its command line ends a login too, for who reads its events.
    if (known.call === undefined && known.json && commandWord(argv) === "login") await writeErrorEvent(error).catch(() => undefined);
    finish(error);
  }
}

function callOf(invocation: Extract<Invocation, { kind: "command" }>, argv: readonly string[], env: Call["env"], ending: Ending, form: ProgramForm, start: Start): Call {
  const cwd = currentFolder();
  const made: { machine?: Call["machine"] } = {};
  return {
    // `version` needs none.
    get machine() {
      made.machine ??= machineOf(env, invocation.verbosity, form, start);
      return made.machine;
    },
    invocation,
    argv,
    env,
    cwd,
    program: {
      version: PROGRAM_VERSION,
      commit: PROGRAM_COMMIT,
      form,
      runtime: runtimeOf(process.versions),
      platform: `${process.platform}/${process.arch}`,
      keychain: keychainOf(process.platform),
    },
    signal: ending.signal,
    undisturbed: ending.undisturbed,
  };
}

const machineOf = (env: Call["env"], verbosity: number, form: ProgramForm, start: Start = {}) =>
  machine({ env, platform: process.platform, cwd: currentFolder(), parent: process.ppid, version: PROGRAM_VERSION, form, verbosity, ...start });

/** A working directory that was deleted must not keep kubectl from its token. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}

const isPlugin = (argv: readonly string[]) => commandWord(argv) === "get-token";

const wantsJson = (argv: readonly string[]) =>
  !isPlugin(argv) && argv.some((arg, i) => /^(-o=?|--output=)json$/.test(arg) || ((arg === "-o" || arg === "--output") && argv[i + 1] === "json"));

/** Says the error in the form that is wanted and gives the exit status. The only place where errors end. */
function report(error: unknown, { call, json }: { readonly call: Call | undefined; readonly json: boolean }): number {
  const ours = isOidcError(error) ? error : unexpected(error);
  const shown = call === undefined ? ours : withHint(ours, call);
  const lines = json ? [safeJson(errorJson(shown))] : terminalLines(shown);
  sayAll(lines);
  if (!isOidcError(error) && error instanceof Error && (call?.invocation.verbosity ?? 0) >= 4) sayAll(framesOf(error).map((frame) => `kubectl-oidc: ${frame}`));
  return ours.exitStatus;
}

function sayAll(lines: readonly string[]): void {
  const write = stderrWriter();
  for (const line of lines) write(line);
}

function withHint(error: OidcError, call: Call): OidcError {
  const hint = quietHint(error, call);
  if (hint === error.hint) return error;
  return new OidcError(error.code, { message: error.message, hint, ...(error.reason === undefined ? {} : { reason: error.reason }) });
}

/** A hint that cannot be made exact stays general, whatever the reason: the error must be said. */
function quietHint(error: OidcError, call: Call): string {
  try {
    return exactHint(error.hint, call);
  } catch {
    return error.hint;
  }
}

/** What the engine wrote of the stack, below the message: a message can hold lines that look like it. Function, file and place only. */
function framesOf(error: Error): readonly string[] {
  const stack = error.stack ?? "";
  const at = error.message === "" ? 0 : stack.indexOf(error.message);
  if (at === -1) return [];
  return stack
    .slice(at + error.message.length)
    .split("\n")
    .flatMap((line) => {
      const [, called = "", place = ""] = /^ {4}at (?:async )?(?:([\w.$<>]{1,60}) )?\(?(?:.*[/\\])?((?:node:[\w/]+|[\w-]+\.c?js):\d+:\d+)\)?$/.exec(line) ?? [];
      return place === "" ? [] : [`at ${called === "" ? "" : `${called} `}(${place})`];
    });
}

/** Names and codes of errors are words of a program; anything else may be what an issuer said. */
const wordOf = (text: unknown, pattern: RegExp) => (typeof text === "string" && pattern.test(text) ? text : undefined);

/** A fault of ours: its kind and place, never its message, which may hold what must not be shown. */
function unexpected(error: unknown): OidcError {
  if (!(error instanceof Error)) return new OidcError("UNEXPECTED", { reason: "fault" }, error);
  const [frame] = framesOf(error);
  const name = wordOf(error.name, /^[A-Z][A-Za-z]{2,30}$/) ?? "Error";
  const code = wordOf("code" in error ? error.code : undefined, /^[A-Z][A-Z0-9_]{1,40}$/);
  if (code === "MODULE_NOT_FOUND") return missingPart(error);
  return new OidcError("UNEXPECTED", { reason: `${name}${code === undefined ? "" : ` ${code}`}${frame === undefined ? "" : ` ${frame}`}` }, error);
}
