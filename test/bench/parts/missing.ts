/** A part that is not on this machine, and how it could be. */
export interface Missing {
  readonly missing: string;
}

export const isMissing = (part: unknown): part is Missing => typeof part === "object" && part !== null && "missing" in part;
