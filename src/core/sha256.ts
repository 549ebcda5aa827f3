/**
 * SHA-256 (FIPS 180-4) in plain JavaScript. Why not node:crypto: loading it costs the hot path 2 to 6 ms
 * (docs/adr/0001-hot-path.md), and core/ may not import Node at all. Checked against node:crypto in a test.
 */
const roundConstants = new Uint32Array(64);
const initialState = new Uint32Array(8);

function fillConstants(): void {
  // The first 32 bits of the fractional parts of the square and cube roots of the primes.
  const fraction = (x: number) => ((x - Math.floor(x)) * 0x1_0000_0000) >>> 0;
  let found = 0;
  for (let candidate = 2; found < 64; candidate++) {
    let prime = true;
    for (let d = 2; d * d <= candidate; d++) {
      if (candidate % d === 0) {
        prime = false;
        break;
      }
    }
    if (!prime) continue;
    if (found < 8) initialState[found] = fraction(candidate ** (1 / 2));
    roundConstants[found++] = fraction(candidate ** (1 / 3));
  }
}

const rotate = (x: number, n: number) => (x >>> n) | (x << (32 - n));

/** Lower-case hex SHA-256 of the text's UTF-8 bytes. */
export const sha256Hex = (text: string): string => sha256HexOfBytes(new TextEncoder().encode(text));

/** The same of bytes. */
export function sha256HexOfBytes(bytes: Uint8Array): string {
  if (roundConstants[0] === 0) fillConstants();
  const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 0x2000_0000));
  view.setUint32(padded.length - 4, (bytes.length << 3) >>> 0);
  const state = Uint32Array.from(initialState);
  const w = new Uint32Array(64);
  for (let offset = 0; offset < padded.length; offset += 64) compress(view, offset, state, w);
  return Array.from(state, (word) => word.toString(16).padStart(8, "0")).join("");
}

function compress(view: DataView, offset: number, state: Uint32Array, w: Uint32Array): void {
  const at = (array: Uint32Array, i: number) => array[i] ?? 0;
  for (let i = 0; i < 16; i++) w[i] = view.getUint32(offset + i * 4);
  for (let i = 16; i < 64; i++) {
    const x = at(w, i - 15);
    const y = at(w, i - 2);
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    w[i] = (at(w, i - 16) + s0 + at(w, i - 7) + s1) >>> 0;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + at(roundConstants, i) + at(w, i)) >>> 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) >>> 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) >>> 0;
  }
  const sums = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) state[i] = (at(state, i) + (sums[i] ?? 0)) >>> 0;
}
