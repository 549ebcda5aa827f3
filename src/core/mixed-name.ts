/** Of a longer text the middle is only sampled: of exec info that is a certificate, which differs everywhere or nowhere. Characters. */
const dense = { all: 512, head: 256, tail: 192, step: 16 } as const;

/**
 * Odd, below 2^21: times 32 bits each is exact as a number, of which `| 0` takes the low 32 bits. Math.imul would do the same with larger ones; the first
 * mention of Math in a process costs the standalone executable 0.05 ms.
 */
const [laneA, laneB, between] = [1_664_525, 1_812_433, 1_390_209] as const;

/**
 * 16 hex digits that tell texts apart, and are no proof of anything: two multiply-xor lanes (after cyrb53), each over every other character, since
 * no module is to be loaded for it and an interpreter runs it once for each command (SHA-256 of 400 characters took 0.9 ms of the standalone
 * executable's 6, both lanes over every character of 2 KB 0.3). Whoever uses it compares the full texts, or can live with a collision.
 */
export function mixedName(texts: readonly string[]): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  const mix = (text: string, from: number, to: number) => {
    for (let i = from; i < to; i += 2) {
      a = ((a ^ text.charCodeAt(i)) * laneA) | 0;
      // Behind the last character comes NaN, which counts as 0.
      b = ((b ^ text.charCodeAt(i + 1)) * laneB) | 0;
    }
  };
  for (const text of texts) {
    a = ((a ^ text.length) * between) | 0;
    if (text.length <= dense.all) mix(text, 0, text.length);
    else {
      const tail = text.length - dense.tail;
      mix(text, 0, dense.head);
      for (let i = dense.head; i < tail; i += dense.step) a = ((a ^ text.charCodeAt(i)) * laneA) | 0;
      mix(text, tail, text.length);
    }
  }
  return `${hex(spread(a) ^ b)}${hex(spread(b) ^ a)}`;
}

/** So that each bit of a lane counts in the upper ones and the lower ones of the name. */
const spread = (lane: number) => (((lane ^ (lane >>> 15)) * between) | 0) ^ (lane >>> 13);

/** Eight digits, by a ninth before them that is cut off. */
const hex = (bits: number) => ((bits >>> 0) + 0x1_0000_0000).toString(16).slice(1);
