/**
 * SHA-256 (FIPS 180-4) in plain JavaScript. Why not node:crypto: loading it costs the hot path 2 to 6 ms
 * (docs/adr/0001-hot-path.md), and core/ may not import Node at all. Checked against node:crypto in a test.
 */
const roundConstants = new Int32Array(64);
const initialState = new Int32Array(8);

function fillConstants(): void {
  // The first 32 bits of the fractional parts of the square and cube roots of the primes.
  const fraction = (x: number) => ((x - Math.floor(x)) * 0x1_0000_0000) | 0;
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
  const state = new Int32Array(initialState);
  const w = new Int32Array(64);
  for (let offset = 0; offset < padded.length; offset += 64) compress(view, offset, state, w);
  let hex = "";
  for (let i = 0; i < 8; i++) hex += (0x1_0000_0000 + ((state[i] ?? 0) >>> 0)).toString(16).slice(1);
  return hex;
}

/** Without a function of its own for each step: most of these run before any engine has compiled them, and a call costs as much as what it does. */
function compress(view: DataView, offset: number, state: Int32Array, w: Int32Array): void {
  for (let i = 0; i < 16; i++) w[i] = view.getInt32(offset + i * 4);
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15] ?? 0;
    const y = w[i - 2] ?? 0;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = ((w[i - 16] ?? 0) + s0 + (w[i - 7] ?? 0) + s1) | 0;
  }
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
  let e = state[4] ?? 0;
  let f = state[5] ?? 0;
  let g = state[6] ?? 0;
  let h = state[7] ?? 0;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (roundConstants[i] ?? 0) + (w[i] ?? 0)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = ((state[0] ?? 0) + a) | 0;
  state[1] = ((state[1] ?? 0) + b) | 0;
  state[2] = ((state[2] ?? 0) + c) | 0;
  state[3] = ((state[3] ?? 0) + d) | 0;
  state[4] = ((state[4] ?? 0) + e) | 0;
  state[5] = ((state[5] ?? 0) + f) | 0;
  state[6] = ((state[6] ?? 0) + g) | 0;
  state[7] = ((state[7] ?? 0) + h) | 0;
}
