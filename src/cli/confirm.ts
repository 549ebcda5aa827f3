import { fail } from "../errors/oidc-error.ts";
import type { Call } from "./call.ts";

/**
 * Asks for consent to what was just shown. Nobody is asked with `--yes`. CONFIRMATION_REQUIRED for any answer but yes, and where nobody can be
 * asked: another program's configuration is never changed unasked.
 */
export async function agreed(call: Call, question: string): Promise<void> {
  const { terminal } = call.machine;
  if (call.invocation.flags["yes"] === true) return;
  if (!terminal.stdinIsTerminal || !terminal.stderrIsTerminal)
    fail("CONFIRMATION_REQUIRED", { message: "nobody can be asked here, and --yes was not given; the kubeconfig was not changed" });
  const answer = await terminal.ask(`kubectl-oidc: ${question} [y/N] `, { hidden: false, signal: call.signal });
  if (!/^(y|yes)$/i.test(answer.trim()))
    fail("CONFIRMATION_REQUIRED", { message: "you did not agree; the kubeconfig was not changed", hint: "answer y to agree, or add --dry-run to see the plan" });
}

/** Refuses at once what could only be refused after a login, or a request. CONFIRMATION_REQUIRED. */
export function mayBeAgreed(call: Call): void {
  const { terminal } = call.machine;
  const { flags } = call.invocation;
  if (flags["yes"] === true || flags["dry-run"] === true) return;
  // The plan would be shown when it is over.
  if (call.invocation.output === "json") fail("CONFIRMATION_REQUIRED", { message: "with -o json nobody is asked, and neither --yes nor --dry-run was given; nothing was changed" });
  if (!terminal.stdinIsTerminal || !terminal.stderrIsTerminal)
    fail("CONFIRMATION_REQUIRED", { message: "nobody can be asked here, and neither --yes nor --dry-run was given; nothing was changed" });
}
