import { spawn } from "node:child_process";
import { askingVariable } from "../../core/job-variables.ts";
import { safeText } from "../../core/untrusted-text.ts";
import { fail } from "../../errors/oidc-error.ts";
import { childEnvironment } from "../child-environment.ts";
import { deadline } from "../deadline.ts";
import { endGroup } from "../end-group.ts";
import { findProgram } from "../program-path.ts";

/** Milliseconds for the whole command. */
const longestRun = 10_000;
/** What a command leaves running may keep its stdout open; the answer of one that ended is whole by then. Milliseconds. */
const lastWords = 200;
/** Characters of stdout; a token has some thousand. And of stderr, of which one line is shown. */
const mostOut = 262_144;
const mostSaid = 16_384;

/** How a program ended: what it printed, and the first line of its stderr, made safe. */
export interface ProgramOutput {
  readonly out: string;
  readonly said: string;
}

/**
 * Runs a program to its end: no shell, no stdin, its own process group, which the deadline ends with all that it started, as our own end does.
 * `withhold`: variables that it does not need and that hold secrets. SUBJECT_TOKEN_INVALID for what is not there, hangs, floods, or fails.
 */
export async function runProgram(
  words: readonly string[],
  {
    env,
    platform,
    withhold = [],
    signal,
  }: { readonly env: Readonly<Record<string, string | undefined>>; readonly platform: string; readonly withhold?: readonly string[]; readonly signal: AbortSignal },
): Promise<ProgramOutput> {
  const [name = "", ...args] = words;
  const shown = safeText(name, 80);
  const path = findProgram(name, env, platform);
  if (path === undefined)
    return fail("SUBJECT_TOKEN_INVALID", {
      message: `the program ${shown} is not there`,
      reason: "no absolute path, and not on the PATH",
      hint: `install ${shown}, or give its whole path`,
    });
  if (signal.aborted) return fail("INTERRUPTED");
  const given = childEnvironment(process.env, platform);
  for (const variable of withhold) delete given[variable];
  const ended = await toItsEnd(path, args, { ...given, [askingVariable]: "1" }, signal);
  if (ended.kind === "interrupted") return fail("INTERRUPTED");
  if (ended.kind === "fault") return fail("SUBJECT_TOKEN_INVALID", { message: `${shown} gave no token`, reason: ended.why, hint: "run it by hand to see what it does" });
  const said = firstLine(ended.said);
  if (ended.status !== 0) {
    const how = ended.status === null ? "was ended by a signal" : `ended with status ${ended.status}`;
    return fail("SUBJECT_TOKEN_INVALID", { message: `${shown} gave no token`, reason: said === "" ? how : `${how}: ${said}`, hint: "run it by hand to see what it does" });
  }
  return { out: ended.out, said };
}

/** A token that a program says on its stderr must not go into a log. */
const firstLine = (text: string) =>
  safeText(
    text
      .trim()
      .split("\n")[0]
      ?.replace(/\beyJ[\w-]+(\.[\w-]*)*/g, "[redacted]"),
    200,
  );

type Ended =
  | { readonly kind: "ended"; readonly status: number | null; readonly out: string; readonly said: string }
  | { readonly kind: "fault"; readonly why: string }
  | { readonly kind: "interrupted" };

function toItsEnd(path: string, args: readonly string[], env: Record<string, string>, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(path, [...args], { stdio: ["ignore", "pipe", "pipe"], detached: process.platform !== "win32", windowsHide: true, env });
    const timers: NodeJS.Timeout[] = [];
    const withUs = () => endGroup(child);
    const interrupted = () => giveUp({ kind: "interrupted" });
    const settle = (result: Ended) => {
      stopTimer();
      timers.forEach(clearTimeout);
      process.off("exit", withUs);
      signal.removeEventListener("abort", interrupted);
      child.removeAllListeners().on("error", () => undefined);
      // Whoever still holds the other end must not keep this program waiting.
      for (const pipe of [child.stdout, child.stderr])
        pipe
          .removeAllListeners()
          .on("error", () => undefined)
          .destroy();
      child.unref();
      resolve(result);
    };
    const giveUp = (result: Ended) => {
      endGroup(child);
      settle(result);
    };
    const text = { out: "", said: "" };
    const answer = (status: number | null) => settle({ kind: "ended", status, ...text });
    const stopTimer = deadline(longestRun, () => giveUp({ kind: "fault", why: `no answer in ${longestRun / 1000} s` }));
    process.once("exit", withUs);
    signal.addEventListener("abort", interrupted, { once: true });
    child.on("error", () => giveUp({ kind: "fault", why: "it cannot be started" }));
    // setImmediate: what lies in the pipe is read first, also after a pause of this program.
    child.on("exit", (status) => timers.push(setTimeout(() => setImmediate(answer, status), lastWords)));
    child.on("close", answer);
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text.out += chunk;
      if (text.out.length > mostOut) giveUp({ kind: "fault", why: "it prints too much" });
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      if (text.said.length < mostSaid) text.said += chunk;
    });
  });
}
