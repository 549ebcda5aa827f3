import type { Outcome } from "../rows.ts";

/** A part that is not on this machine, and how it could be. */
export interface Missing {
  readonly missing: string;
  /** It is there, and should have been what is measured: its rows fail. */
  readonly isOurFault?: true;
}

export const isMissing = (part: unknown): part is Missing => typeof part === "object" && part !== null && "missing" in part;

/** What the rows say that need it. */
export const outcomeWithout = ({ missing, isOurFault }: Missing): Outcome => ({ kind: isOurFault === true ? "failed" : "skipped", why: missing });
