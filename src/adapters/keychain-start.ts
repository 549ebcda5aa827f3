import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import type { ProgramForm } from "../core/program-form.ts";
import { childEnvironment } from "./child-environment.ts";
import { type ChildCommand, keychainCommand } from "./own-program.ts";

/**
 * The keychain's program, before the rest of ours is loaded: it takes 40 ms until it can answer, and we take 20 until we ask. For the one call that
 * renews a token. Undefined when it cannot be started; whoever asks the keychain starts it then, and says what is wrong.
 */
export function startKeychain(form: ProgramForm): ChildProcess | undefined {
  const child = startChild(keychainCommand(form));
  return child?.pid === undefined ? undefined : child;
}

/** Undefined when the system refuses at once (no memory, an environment too large); other refusals come as an `error` event. */
export function startChild([program, ...args]: ChildCommand): ChildProcess | undefined {
  try {
    const child = spawn(program, args, {
      stdio: ["pipe", "pipe", "ignore"],
      detached: process.platform !== "win32",
      windowsHide: true,
      // It makes no TLS, and to read its authorities takes Node 20 some 40 ms.
      env: { ...childEnvironment(process.env), NODE_EXTRA_CA_CERTS: "" },
    });
    // What cannot be started says so later, when nobody may have asked it yet: it has no number, and who asks starts another.
    child.on("error", () => undefined);
    // It and its pipes keep nobody waiting; the deadline of a request does.
    child.unref();
    for (const pipe of [child.stdin, child.stdout]) if (pipe instanceof Socket) pipe.unref();
    child.stdin?.on("error", () => undefined);
    child.stdout?.setEncoding("utf8");
    return child;
  } catch {
    return undefined;
  }
}
