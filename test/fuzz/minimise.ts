/**
 * The shortest input that still fails in the same way, by leaving out ever smaller parts; what was found when the time is over. `fails` says
 * whether an input does.
 */
export async function minimise(input: Buffer, fails: (smaller: Buffer) => Promise<boolean>, untilMs: number): Promise<Buffer> {
  let best = input;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length; ) {
      if (Date.now() > untilMs) return best;
      const smaller = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (await fails(smaller)) best = smaller;
      else at += size;
    }
  }
  return best;
}
