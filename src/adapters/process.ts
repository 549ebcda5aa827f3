import type { ChildProcess } from "node:child_process";
import type { Waited } from "../core/handout.ts";
import type { ProgramForm } from "../core/program-form.ts";

/** The process as it was at the start. */
export interface Process {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly cwd: string;
  readonly parent: number;
  readonly version: string;
  readonly form: ProgramForm;
  readonly verbosity: number;
  /** For another call, before this program was loaded. */
  readonly waited?: Waited | undefined;
  /** Started then, to be asked by this call. */
  readonly keychain?: ChildProcess | undefined;
}
