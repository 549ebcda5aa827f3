import { connect } from "node:net";
import { type Message, type MethodCall, methodCall, nextMessage } from "./dbus-message.ts";

/** Why there was no answer. `reason`: a short one of ours. */
export type BusFault = { readonly fault: "unreachable" | "timed-out"; readonly reason: string };

export interface BusConnection {
  /** The answer, D-Bus errors included. Never rejects. */
  call(call: MethodCall): Promise<Message | BusFault>;
  /** Calls that are not answered so many milliseconds from now time out, and the connection with them; the function that is given lifts that. */
  deadline(ms: number): () => void;
  /** True when nothing more comes of it. */
  isOver(): boolean;
  close(): void;
}

/** No answer that we ask for is longer. */
const longest = 1_048_576;

/**
 * A connection to the session bus, by hand: nothing else on a plain machine can ask without a risk of a dialog (see
 * secret-service-lock.ts).
 * Source: D-Bus Specification, "Authentication Protocol" (EXTERNAL) and "Message Bus".
 */
export function connectToBus(path: string): BusConnection {
  const socket = connect({ path });
  const waiting = new Map<number, (answer: Message | BusFault) => void>();
  const state: { serial: number; received: Buffer; ready: boolean; unsent: Buffer[]; timer?: NodeJS.Timeout; over?: BusFault } = {
    serial: 0,
    received: Buffer.alloc(0),
    ready: false,
    unsent: [],
  };

  const end = (over: BusFault) => {
    state.over ??= over;
    clearTimeout(state.timer);
    socket.destroy();
    for (const settle of waiting.values()) settle(state.over);
    waiting.clear();
  };
  const send = (bytes: Buffer) => (state.ready ? socket.write(bytes) : state.unsent.push(bytes));

  function authenticated(): boolean {
    if (state.ready) return true;
    const line = state.received.indexOf("\r\n");
    if (line === -1) return false;
    if (!state.received.toString("latin1", 0, line).startsWith("OK")) {
      end({ fault: "unreachable", reason: "the session bus refused us" });
      return false;
    }
    state.received = state.received.subarray(line + 2);
    state.ready = true;
    socket.write(Buffer.concat([Buffer.from("BEGIN\r\n"), ...state.unsent]));
    return true;
  }

  function take(chunk: Buffer): void {
    state.received = Buffer.concat([state.received, chunk]);
    if (state.received.length > longest) throw new RangeError("too long");
    if (!authenticated()) return;
    for (let message = nextMessage(state.received); message !== undefined; message = nextMessage(state.received)) {
      state.received = state.received.subarray(message.size);
      if (message.answers === undefined) continue;
      waiting.get(message.answers)?.(message);
      waiting.delete(message.answers);
    }
  }

  const connection: BusConnection = {
    call: (call) =>
      new Promise((settle) => {
        if (state.over !== undefined) return settle(state.over);
        state.serial++;
        waiting.set(state.serial, settle);
        send(methodCall(state.serial, call));
      }),
    deadline(ms) {
      clearTimeout(state.timer);
      const timer = setTimeout(() => end({ fault: "timed-out", reason: "no answer from the session bus" }), ms);
      state.timer = timer;
      return () => clearTimeout(timer);
    },
    isOver: () => state.over !== undefined,
    close: () => end({ fault: "unreachable", reason: "closed" }),
  };
  socket.on("connect", () => socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(process.geteuid?.() ?? 0)).toString("hex")}\r\n`));
  socket.on("error", (error: NodeJS.ErrnoException) => end({ fault: "unreachable", reason: `session bus: ${error.code ?? "fault"}` }));
  socket.on("close", () => end({ fault: "unreachable", reason: "the session bus closed the connection" }));
  socket.on("data", (chunk: Buffer) => {
    try {
      take(chunk);
    } catch {
      end({ fault: "unreachable", reason: "the session bus sent what cannot be read" });
    }
  });
  // Every connection begins with it; its answer (our name on the bus) is of no use here.
  void connection.call({ destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus", member: "Hello", args: [] });
  return connection;
}
