import { connect, type Socket } from "node:net";

/** State of the Secret Service's default collection. */
export type CollectionState =
  | { readonly state: "unlocked" }
  | { readonly state: "locked" }
  | { readonly state: "timed-out" }
  | { readonly state: "unavailable"; readonly reason: string };

/** Milliseconds for the bus and the service together. gnome-keyring answers within 30; a service that must start first needs a second. */
const askDeadline = 3_000;

/**
 * Is the default collection locked? Asked over D-Bus by hand, because the keychain binding can only find out by raising the
 * unlock dialog, and under kubectl nobody sees that (docs/adr/0002-keychain-binding.md). Reads one property, changes nothing.
 * Source: D-Bus Specification (message format, EXTERNAL); Secret Service API 0.2, Collection.Locked.
 */
export function defaultCollection(env: Readonly<Record<string, string | undefined>>): Promise<CollectionState> {
  const path = busPath(env);
  if (path === undefined) return Promise.resolve({ state: "unavailable", reason: "no session bus (DBUS_SESSION_BUS_ADDRESS is not set)" });
  return new Promise((resolve) => {
    const socket = connect({ path });
    const end = (state: CollectionState) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(state);
    };
    const timer = setTimeout(() => end({ state: "timed-out" }), askDeadline);
    socket.on("error", (error: NodeJS.ErrnoException) => end({ state: "unavailable", reason: `session bus: ${error.code ?? "fault"}` }));
    socket.on("close", () => end({ state: "unavailable", reason: "the session bus closed the connection" }));
    converse(socket, end);
  });
}

/** The path of a unix: address; the first that we can use. Abstract names begin with a NUL byte. */
function busPath(env: Readonly<Record<string, string | undefined>>): string | undefined {
  for (const address of (env["DBUS_SESSION_BUS_ADDRESS"] ?? "").split(";")) {
    const match = /^unix:(?:.*,)?(path|abstract)=([^,]*)/.exec(address);
    if (match !== null) return `${match[1] === "abstract" ? "\u0000" : ""}${decodeURIComponent(match[2] ?? "")}`;
  }
  return undefined;
}

function converse(socket: Socket, end: (state: CollectionState) => void): void {
  let received: Buffer = Buffer.alloc(0);
  let authenticated = false;
  const uid = Buffer.from(String(process.geteuid?.() ?? 0)).toString("hex");
  socket.on("connect", () => socket.write(`\0AUTH EXTERNAL ${uid}\r\n`));
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (!authenticated) {
      const line = received.indexOf("\r\n");
      if (line === -1) return;
      if (!received.subarray(0, line).toString("latin1").startsWith("OK")) return end({ state: "unavailable", reason: "the session bus refused us" });
      received = received.subarray(line + 2);
      authenticated = true;
      socket.write("BEGIN\r\n");
      socket.write(methodCall(1, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", []));
      socket.write(
        methodCall(2, "org.freedesktop.secrets", "/org/freedesktop/secrets/aliases/default", "org.freedesktop.DBus.Properties", "Get", [
          "org.freedesktop.Secret.Collection",
          "Locked",
        ]),
      );
    }
    for (let message = nextMessage(received); message !== undefined; message = nextMessage(received)) {
      received = received.subarray(message.size);
      const state = stateOf(message);
      if (state !== undefined) return end(state);
    }
    if (received.length > 1_048_576) end({ state: "unavailable", reason: "the session bus sent too much" });
  });
}

interface Message {
  readonly size: number;
  readonly type: number;
  readonly fields: Buffer;
  readonly body: Buffer;
}

/** One whole little-endian message at the start of the bytes, or undefined while more must come. */
function nextMessage(bytes: Buffer): Message | undefined {
  if (bytes.length < 16) return undefined;
  const read = (at: number) => (bytes[0] === 0x6c ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const fieldsEnd = 16 + read(12);
  const bodyStart = (fieldsEnd + 7) & ~7;
  const size = bodyStart + read(4);
  return bytes.length < size ? undefined : { size, type: bytes[1] ?? 0, fields: bytes.subarray(16, fieldsEnd), body: bytes.subarray(bodyStart, size) };
}

/** The answer to our second call: a variant of a boolean, or an error. Other messages (NameAcquired) say nothing. */
function stateOf({ type, fields, body }: Message): CollectionState | undefined {
  if (!fields.includes(Buffer.from([5, 1, 0x75, 0, 2, 0, 0, 0]))) return undefined;
  if (type === 3) {
    const name = /org\.[\w.]+/.exec(fields.subarray(Math.max(0, fields.indexOf(Buffer.from([4, 1, 0x73, 0])))).toString("latin1"))?.[0] ?? "an error";
    if (/NoReply|Timeout|TimedOut/.test(name)) return { state: "timed-out" };
    const missing = /ServiceUnknown|NameHasNoOwner|Spawn/.test(name);
    return {
      state: "unavailable",
      reason: missing
        ? "no Secret Service on the session bus (org.freedesktop.secrets)"
        : /UnknownObject|UnknownMethod|NoSuchObject/.test(name)
          ? "the Secret Service has no default keyring yet"
          : name,
    };
  }
  return { state: body.subarray(0, 3).equals(Buffer.from([1, 0x62, 0])) && body.readUInt32LE(4) === 0 ? "unlocked" : "locked" };
}

/** A method call with text arguments (signature `s…`). */
function methodCall(serial: number, destination: string, path: string, iface: string, member: string, args: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (const arg of args) parts.push(aligned(parts, 4), text(arg));
  const body = Buffer.concat(parts);
  const fields: Buffer[] = [];
  const field = (code: number, signature: string, value: Buffer) => fields.push(aligned(fields, 8), Buffer.from([code, 1, signature.charCodeAt(0), 0]), value);
  field(1, "o", text(path));
  field(6, "s", text(destination));
  field(2, "s", text(iface));
  field(3, "s", text(member));
  if (args.length > 0) field(8, "g", Buffer.from([args.length, ...Buffer.from("s".repeat(args.length)), 0]));
  const fieldBytes = Buffer.concat(fields);
  const head = Buffer.alloc(16);
  head.write("l", 0, "latin1");
  head[1] = 1;
  head[3] = 1;
  head.writeUInt32LE(body.length, 4);
  head.writeUInt32LE(serial, 8);
  head.writeUInt32LE(fieldBytes.length, 12);
  const front = Buffer.concat([head, fieldBytes]);
  return Buffer.concat([front, Buffer.alloc(-front.length & 7), body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes, Buffer.alloc(1)]);
}

/** Padding after the parts so far. */
const aligned = (parts: readonly Buffer[], to: number) => Buffer.alloc(-parts.reduce((sum, part) => sum + part.length, 0) & (to - 1));
