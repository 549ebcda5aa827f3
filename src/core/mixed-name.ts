/** Of a longer text the middle is only sampled: of exec info that is a certificate, which differs everywhere or nowhere. Characters. */
const dense = { all: 512, head: 256, tail: 192, step: 16 } as const;

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
      a = Math.imul(a ^ text.charCodeAt(i), 2654435761);
      // Behind the last character comes NaN, which counts as 0.
      b = Math.imul(b ^ text.charCodeAt(i + 1), 1597334677);
    }
  };
  for (const text of texts) {
    a = Math.imul(a ^ text.length, 2246822507);
    if (text.length <= dense.all) mix(text, 0, text.length);
    else {
      const tail = text.length - dense.tail;
      mix(text, 0, dense.head);
      for (let i = dense.head; i < tail; i += dense.step) a = Math.imul(a ^ text.charCodeAt(i), 2654435761);
      mix(text, tail, text.length);
    }
  }
  const hex = (x: number) => (x >>> 0).toString(16).padStart(8, "0");
  return `${hex(Math.imul(a ^ (a >>> 16), 2246822507) ^ b)}${hex(Math.imul(b ^ (b >>> 13), 3266489909) ^ a)}`;
}
