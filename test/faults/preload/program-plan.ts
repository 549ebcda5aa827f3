/**
 * `kill`, `kill-half`: SIGKILL before the operation, or after half of it. `power-…`: SIGKILL, and what was not made durable is undone:
 * file names, file contents, or each at random. The rest: this errno from that operation on.
 */
export type ProgramAction = "kill" | "kill-half" | "power-names" | "power-contents" | "power-mixed" | "ENOSPC" | "EROFS" | "EIO";

/** What one run of the program meets. Given as JSON in FAULTS_PLAN. */
export interface ProgramPlan {
  /** The store's folder: operations on it count. */
  readonly data: string;
  /** One line for every operation that was done. */
  readonly log: string;
  /** The operation, from 1, at which `action` happens; none: the run is only recorded. */
  readonly at?: number;
  readonly action?: ProgramAction;
  /** Decides what is random here. */
  readonly salt: number;
  /** Deadlines of six seconds and more are this many times shorter, so that an issuer that never answers costs two. */
  readonly haste: number;
}
