import { isSafeText } from "./untrusted-text.ts";

/** Longer ones make a command that nobody checks before pasting it. Characters. */
const longest = 400;

/**
 * A text as one word of a command that a person pastes into a shell; undefined when no form of it is safe in every shell there. Hints show
 * such commands, and their words come from kubeconfigs and issuers: `'; curl … | sh` must not be run by whoever follows a hint.
 * Single quotes keep all but these literal in sh, bash, zsh, fish and PowerShell: the quotes themselves (PowerShell takes typographic ones
 * too), a backslash (fish), an exclamation mark (csh). On Windows, double quotes do for cmd and PowerShell what they can: for harmless
 * characters only.
 */
export function shellWord(text: string, platform: string): string | undefined {
  if (text === "" || text.length > longest || !isSafeText(text)) return undefined;
  if (/^[\w@+=:,./-]+$/.test(text)) return text;
  if (platform === "win32") return /^[\w@+=:,./\\ ()-]*[^\\]$/.test(text) && !/[^\w@+=:,./\\ ()-]/.test(text) ? `"${text}"` : undefined;
  return /['\\!\u2018-\u201f\u2039\u203a]/.test(text) ? undefined : `'${text}'`;
}
