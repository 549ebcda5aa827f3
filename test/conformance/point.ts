/** One numbered point of the conformance table (docs/reference/conformance.md). */
export interface Point {
  readonly id: string;
  /** What must hold. */
  readonly text: string;
  /** Who makes it true: the OpenID library, an option of it that we switch on, this program, or both. */
  readonly by: "library" | "option" | "us" | "both";
  /** Why no test of ours shows it, or why it does not hold. A point with a reason needs no test. */
  readonly reason?: string;
}

/** `rows`: id, who, text, and the reason when there is one. */
export function points(...rows: readonly (readonly [id: string, by: Point["by"], text: string, reason?: string])[]): readonly Point[] {
  return rows.map(([id, by, text, reason]) => ({ id, by, text, ...(reason === undefined ? {} : { reason }) }));
}
