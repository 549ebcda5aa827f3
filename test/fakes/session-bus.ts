import { rmSync, mkdtempSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the bus does with the n-th call after Hello; `silent`: nothing; `hang-up`: closes; `raw`: these bytes, then it closes. */
export type BusStep = { readonly signature: string; readonly body: Buffer } | { readonly error: string } | { readonly raw: Buffer } | "silent" | "hang-up";

export interface BusOptions {
  /** Sent instead of `OK …` when a client authenticates; undefined with `mute`: nothing at all. */
  readonly greeting?: string;
  readonly mute?: boolean;
  /** The script of the first connection, when it is another one. */
  readonly first?: readonly BusStep[];
  /** Answers in the other byte order, as on s390x. */
  readonly bigEndian?: boolean;
}

export interface SessionBus {
  readonly address: string;
  /** Members of the calls that came, Hello included. */
  readonly calls: readonly string[];
  stop(): Promise<void>;
}

/** A session bus that answers by a script, in the bytes of the D-Bus Specification; it shares no code with the program. */
export async function startSessionBus(steps: readonly BusStep[], options: BusOptions = {}): Promise<SessionBus> {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-bus-"));
  const path = join(folder, "bus");
  const calls: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    const script = connections++ === 0 ? (options.first ?? steps) : steps;
    socket.on("error", () => undefined);
    const state = { bytes: Buffer.alloc(0), ready: false, step: 0 };
    socket.on("data", (chunk: Buffer) => {
      state.bytes = Buffer.concat([state.bytes, chunk]);
      if (options.mute === true) return;
      if (!state.ready) {
        if (state.bytes.includes("AUTH") && state.bytes.includes("\r\n") && !state.bytes.includes("BEGIN")) return void socket.write(options.greeting ?? "OK 0123456789abcdef\r\n");
        const begin = state.bytes.indexOf("BEGIN\r\n");
        if (begin === -1) return;
        state.ready = true;
        state.bytes = state.bytes.subarray(begin + 7);
      }
      for (let call = takeCall(state); call !== undefined; call = takeCall(state)) {
        calls.push(call.member);
        if (call.member === "Hello") {
          socket.write(message(call.serial, { signature: "s", body: text(":1.7") }, options.bigEndian));
          continue;
        }
        const step = script[state.step++] ?? "silent";
        if (step === "hang-up") socket.destroy();
        else if (step !== "silent" && "raw" in step) socket.end(step.raw);
        else if (step !== "silent") socket.write(message(call.serial, step, options.bigEndian));
      }
    });
  });
  await new Promise<void>((done) => server.listen(path, done));
  return {
    address: `unix:path=${path}`,
    calls,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function takeCall(state: { bytes: Buffer }): { readonly serial: number; readonly member: string } | undefined {
  const { bytes } = state;
  if (bytes.length < 16) return undefined;
  const fieldsEnd = 16 + bytes.readUInt32LE(12);
  const size = ((fieldsEnd + 7) & ~7) + bytes.readUInt32LE(4);
  if (bytes.length < size) return undefined;
  state.bytes = bytes.subarray(size);
  const member = bytes.indexOf(Buffer.from([3, 1, 0x73, 0]), 16);
  return { serial: bytes.readUInt32LE(8), member: bytes.toString("latin1", member + 8, member + 8 + bytes.readUInt32LE(member + 4)) };
}

const uint32 = (value: number, bigEndian = false) => {
  const bytes = Buffer.alloc(4);
  bigEndian ? bytes.writeUInt32BE(value) : bytes.writeUInt32LE(value);
  return bytes;
};
const padded = (bytes: Buffer, to: number) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & (to - 1))]);

/** A text or an object path. */
export const text = (value: string, bigEndian = false) => Buffer.concat([uint32(Buffer.byteLength(value), bigEndian), Buffer.from(value), Buffer.from([0])]);
/** A variant that holds a boolean. */
export const variantOfBoolean = (value: boolean, bigEndian = false) => Buffer.concat([Buffer.from([1, 0x62, 0, 0]), uint32(value ? 1 : 0, bigEndian)]);
/** `aoao`: the paths of unlocked and of locked items. */
export function twoLists(unlocked: readonly string[], locked: readonly string[], bigEndian = false): Buffer {
  const list = (paths: readonly string[]) => paths.reduce((all, path) => Buffer.concat([padded(all, 4), text(path, bigEndian)]), Buffer.alloc(0));
  const first = Buffer.concat([uint32(list(unlocked).length, bigEndian), list(unlocked)]);
  return Buffer.concat([padded(first, 4), uint32(list(locked).length, bigEndian), list(locked)]);
}

function message(answers: number, step: { readonly signature: string; readonly body: Buffer } | { readonly error: string }, bigEndian = false): Buffer {
  const isError = "error" in step;
  const signature = isError ? "" : step.signature;
  const body = isError ? Buffer.alloc(0) : step.body;
  let fields = Buffer.concat([Buffer.from([5, 1, 0x75, 0]), uint32(answers, bigEndian)]);
  if (isError) fields = Buffer.concat([padded(fields, 8), Buffer.from([4, 1, 0x73, 0]), text(step.error, bigEndian)]);
  if (signature !== "") fields = Buffer.concat([padded(fields, 8), Buffer.from([8, 1, 0x67, 0, signature.length]), Buffer.from(signature), Buffer.from([0])]);
  const head = Buffer.concat([
    Buffer.from([bigEndian ? 0x42 : 0x6c, isError ? 3 : 2, 0, 1]),
    uint32(body.length, bigEndian),
    uint32(99, bigEndian),
    uint32(fields.length, bigEndian),
    fields,
  ]);
  return Buffer.concat([padded(head, 8), body]);
}
