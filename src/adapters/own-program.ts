import { isAbsolute, join, resolve } from "node:path";
import { keychainWord, type ProgramForm } from "../core/program-form.ts";

/** The keychain's program: an absolute path, and its arguments. */
export type ChildCommand = readonly [string, ...string[]];

/** How the running program is started again. */
export interface OwnProgram {
  /** The path by which it was called, links not followed. */
  readonly called: string;
  readonly keychainChild: ChildCommand;
}

/** `cwd`: that of the start. */
export function ownProgram(form: ProgramForm, cwd: string): OwnProgram {
  const keychainChild = keychainCommand(form);
  if (form === "npm") return { called: process.argv[1] ?? "", keychainChild };
  // argv[1] is a name inside the executable; argv0 is what the caller typed, a bare name when it was found by the PATH.
  const typed = process.argv0;
  const called = isAbsolute(typed) ? typed : /[/\\]/.test(typed) ? resolve(cwd, typed) : process.execPath;
  return { called, keychainChild };
}

/** What starts the keychain's program (keychain-child.ts). */
export const keychainCommand = (form: ProgramForm): ChildCommand =>
  form === "npm" ? [process.execPath, join(import.meta.dirname, "keychain-child.cjs")] : [process.execPath, keychainWord];
