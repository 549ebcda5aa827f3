/** D-Bus messages as bytes, as far as a few method calls need them. Source: D-Bus Specification, "Message Protocol". */

export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Arguments in order: text, or a dictionary of texts (`a{ss}`). */
  readonly args: readonly (string | Readonly<Record<string, string>>)[];
}

/** An answer. `body` reads its values in order. */
export interface Message {
  /** Bytes that it took. */
  readonly size: number;
  /** Serial of the call that it answers; undefined for signals. */
  readonly answers: number | undefined;
  /** `org.freedesktop.DBus.Error.ServiceUnknown`, when it is an error. */
  readonly error: string | undefined;
  readonly signature: string;
  readonly body: Reader;
}

/** A method call, little-endian. `serial`: above 0, new for each call of a connection. */
export function methodCall(serial: number, call: MethodCall): Buffer {
  const body = writer();
  for (const arg of call.args) typeof arg === "string" ? body.text(arg) : body.dictionary(arg);
  const signature = call.args.map((arg) => (typeof arg === "string" ? "s" : "a{ss}")).join("");
  const fields = writer();
  for (const [code, type, value] of [
    [1, "o", call.path],
    [2, "s", call.interface],
    [3, "s", call.member],
    [6, "s", call.destination],
  ] as const) {
    fields
      .align(8)
      .bytes([code, 1, type.charCodeAt(0), 0])
      .text(value);
  }
  if (signature !== "") fields.align(8).bytes([8, 1, 0x67, 0, signature.length, ...Buffer.from(signature), 0]);
  const front = writer().bytes([0x6c, 1, 0, 1]).uint32(body.size()).uint32(serial).uint32(fields.size()).bytes(fields.whole()).align(8);
  return Buffer.concat([front.whole(), body.whole()]);
}

/** 128 MiB, header included. Bytes. */
const longestMessage = 134_217_728;

/** One whole message at the start of the bytes, or undefined while more must come. Throws RangeError for bytes that are none. */
export function nextMessage(bytes: Buffer): Message | undefined {
  if (bytes.length < 16) return undefined;
  const head = reader(bytes, bytes[0] === 0x6c, 4);
  const bodyLength = head.uint32();
  head.uint32();
  const fieldsEnd = 16 + head.uint32();
  // Not by bits: those have 32, and the sign is one of them.
  const bodyStart = Math.ceil(fieldsEnd / 8) * 8;
  const size = bodyStart + bodyLength;
  // D-Bus specification, "Message Format": who announces more is no bus.
  if (size > longestMessage) throw new RangeError("a D-Bus message is too long");
  if (bytes.length < size) return undefined;
  const fields = reader(bytes.subarray(16, fieldsEnd), bytes[0] === 0x6c, 0);
  const found: { answers?: number; error?: string; signature?: string } = {};
  while (!fields.atEnd()) {
    const code = fields.align(8).byte();
    const type = fields.signature();
    // Header fields are of these types only (table "Header Fields").
    const value = type === "u" ? fields.uint32() : type === "g" ? fields.signature() : fields.text();
    if (code === 5) found.answers = Number(value);
    if (code === 4) found.error = String(value);
    if (code === 8) found.signature = String(value);
  }
  const body = reader(bytes.subarray(bodyStart, size), bytes[0] === 0x6c, 0);
  return { size, answers: found.answers, error: bytes[1] === 3 ? (found.error ?? "") : undefined, signature: found.signature ?? "", body };
}

function writer() {
  const parts: Uint8Array[] = [];
  const state = { size: 0 };
  const self = {
    size: () => state.size,
    whole: () => Buffer.concat(parts),
    bytes(bytes: Iterable<number>) {
      const part = Uint8Array.from(bytes);
      parts.push(part);
      state.size += part.length;
      return self;
    },
    align: (to: number) => self.bytes(new Uint8Array(-state.size & (to - 1))),
    uint32(value: number) {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(value);
      return self.align(4).bytes(bytes);
    },
    text(value: string) {
      const bytes = Buffer.from(value);
      return self.uint32(bytes.length).bytes(bytes).bytes([0]);
    },
    /** The length does not count the padding before the first entry. */
    dictionary(entries: Readonly<Record<string, string>>) {
      const inner = writer();
      for (const [key, value] of Object.entries(entries)) inner.align(8).text(key).text(value);
      return self.uint32(inner.size()).align(8).bytes(inner.whole());
    },
  };
  return self;
}

export type Reader = ReturnType<typeof reader>;

/** Reads values in order. Throws RangeError beyond the end. */
function reader(bytes: Buffer, littleEndian: boolean, start: number) {
  const state = { at: start };
  const take = (length: number) => {
    if (state.at + length > bytes.length) throw new RangeError("a D-Bus message ends too early");
    const from = state.at;
    state.at += length;
    return from;
  };
  const characters = (length: number) => {
    const from = take(length + 1);
    return bytes.toString("utf8", from, from + length);
  };
  const self = {
    atEnd: () => state.at >= bytes.length,
    align(to: number) {
      state.at = Math.ceil(state.at / to) * to;
      return self;
    },
    byte: () => bytes[take(1)] ?? 0,
    uint32() {
      self.align(4);
      const from = take(4);
      return littleEndian ? bytes.readUInt32LE(from) : bytes.readUInt32BE(from);
    },
    text: () => characters(self.uint32()),
    signature: () => characters(self.byte()),
    /** `ao` or `as`. */
    texts() {
      const length = self.uint32();
      const end = state.at + length;
      const found: string[] = [];
      while (state.at < end) found.push(self.text());
      return found;
    },
  };
  return self;
}
