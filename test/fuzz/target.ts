/** What a target's inputs look like: which mutations make sense beside those of bytes. */
export type InputKind = "json" | "text" | "bytes";

/** One parser under fuzzing. */
export interface Target {
  /** For `--only`. */
  readonly name: string;
  /** The end of "… never crashes, hangs or tells a secret". */
  readonly what: string;
  readonly kind: InputKind;
  /** Valid inputs, and some that once broke something. */
  readonly seeds: readonly (string | Uint8Array)[];
  /** Texts of the seeds that no error and no line may show. */
  readonly secrets: readonly string[];
  start(): Promise<Subject> | Subject;
}

/** A parser that is ready. */
export interface Subject {
  /**
   * Takes one input; `say` gets what the program would show. May end with one of our errors. Throws `Broken` when what must always hold does
   * not. What it gives is looked at for foreign prototypes.
   */
  run(input: Buffer, say: (line: string) => void): unknown;
  stop?(): Promise<void> | void;
}

/** Something that must hold for every input did not. */
export class Broken extends Error {}

export function mustHold(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Broken(what);
}
