/**
 * The program in front of the OS keychain. A native keychain call can block for ever, and then process.exit does not end
 * Node (docs/adr/0002-keychain-binding.md); so it runs here, where SIGKILL ends it: by the parent at its deadline, by
 * ourselves when the parent is gone. A read is dropped then; a write that came whole is finished. It stays for the parent's
 * next request: one costs 10 ms then instead of 90, and the write of a new token finds us already there.
 */
import { existsSync, writeSync } from "node:fs";
import { safeText } from "../core/untrusted-text.ts";
import { type KeychainBinding, keychainBinding } from "./keychain-binding.ts";
import type { KeychainSlots } from "./keychain-chunks.ts";
import { type KeychainAnswer, type KeychainFault, type KeychainRequest, parseKeychainRequest } from "./keychain-protocol.ts";
import { type KeptBus, secretServiceState } from "./secret-service-lock.ts";

/** process.exit would wait for a blocked native call. */
const endNow = () => process.kill(process.pid, "SIGKILL");

function answer(reply: KeychainAnswer): void {
  const bytes = Buffer.from(`${JSON.stringify(reply)}\n`);
  try {
    for (let sent = 0; sent < bytes.length; ) sent += writeSync(1, bytes, sent);
  } catch {
    // Nobody reads any more.
    endNow();
  }
}

const refused = (fault: KeychainFault, reason: string): KeychainAnswer => ({ ok: false, fault, reason: safeText(reason, 200) });

/** What one operation leaves for the next. */
interface Kept {
  binding?: Promise<KeychainBinding>;
  /**
   * By service and account. An entry connects to the Secret Service when it is made, which takes 6 of the 7 milliseconds that reading or writing takes.
   */
  readonly entries: Map<string, Entry>;
  /** For the look before each operation. */
  readonly look: KeptBus;
}

async function serve(request: KeychainRequest, kept: Kept): Promise<KeychainAnswer> {
  if (process.platform === "linux") findBus();
  const asked = process.platform === "linux" ? secretServiceState(process.env, { service: request.service, username: request.account }, kept.look) : undefined;
  // Loaded while the service answers. What is wrong with it is said when it is needed.
  const loading = keychainSlots(request.service, kept);
  loading.catch(() => undefined);
  if (asked !== undefined) {
    const found = await asked;
    if (found.state !== "unlocked" && !(found.state === "locked" && request.mayPrompt)) return refused(found.state, found.reason);
  }
  const slots = await loading;
  const items = await wholeItems(slots);
  switch (request.op) {
    case "read": {
      const value = await items.get(request.account);
      return value === undefined ? { ok: true } : { ok: true, value };
    }
    case "write":
      await items.set(request.account, request.value ?? "");
      return { ok: true };
    case "remove":
      await items.delete(request.account);
      return { ok: true };
    case "probe": {
      const { randomBytes } = await import("node:crypto");
      const account = `kubectl-oidc probe ${randomBytes(8).toString("hex")}`;
      await slots.set(account, account);
      const same = (await slots.get(account)) === account;
      await slots.delete(account);
      return same ? { ok: true } : refused("unavailable", "it does not give back what was written");
    }
    default:
      return request.op satisfies never;
  }
}

/** Items as this platform takes them. Only Windows needs chunks, and node:crypto to tell them apart, which is not loaded elsewhere. */
async function wholeItems(slots: KeychainSlots): Promise<KeychainSlots> {
  if (process.platform !== "win32") return slots;
  const { deleteChunked, readChunked, writeChunked } = await import("./keychain-chunks.ts");
  return {
    get: (account) => readChunked(slots, account),
    set: (account, value) => writeChunked(slots, account, value),
    delete: (account) => deleteChunked(slots, account),
  };
}

/** cron and sudo leave the address out although the bus of this user is there. */
function findBus(): void {
  if (process.env["DBUS_SESSION_BUS_ADDRESS"]) return;
  const path = `${process.env["XDG_RUNTIME_DIR"] ?? `/run/user/${process.geteuid?.()}`}/bus`;
  if (existsSync(path)) process.env["DBUS_SESSION_BUS_ADDRESS"] = `unix:path=${path}`;
}

type Entry = InstanceType<KeychainBinding["AsyncEntry"]>;

/** @napi-rs/keyring, pinned to the Secret Service on Linux: its default falls back to the kernel keyring without a word. */
async function keychainSlots(service: string, kept: Kept): Promise<KeychainSlots> {
  kept.binding ??= keychainBinding();
  const { entries } = kept;
  const binding = await kept.binding.catch((error: unknown) => {
    throw new Error(`the keychain binding cannot be loaded: ${error instanceof Error ? error.message.split("\n")[0] : "unknown fault"}`);
  });
  const newEntry = (account: string) => new binding.AsyncEntry(service, account, process.platform === "linux" ? { linux: { store: "secret-service" } } : undefined);

  async function withEntry<T>(account: string, act: (entry: Entry) => Promise<T>): Promise<T> {
    const name = `${service}\n${account}`;
    for (let tries = 0; ; tries++) {
      const known = entries.get(name);
      try {
        const entry = known ?? newEntry(account);
        entries.set(name, entry);
        return await act(entry);
      } catch (error) {
        entries.delete(name);
        // The service was started anew, and knows nothing of the old connection.
        const isStale = known !== undefined && isUnavailable(error);
        if (!isStale && (tries >= 2 || !isRace(error))) throw error;
      }
    }
  }

  return {
    get: (account) =>
      withEntry(account, async (entry) => {
        const bytes = await entry.getSecret();
        return bytes === null || bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
      }),
    set: (account, value) => withEntry(account, (entry) => entry.setSecret(Buffer.from(value))),
    delete: (account) =>
      withEntry(account, async (entry) => {
        await entry.deleteCredential();
      }),
  };
}

const isUnavailable = (error: unknown) => {
  const answer = faultOf(error);
  return !answer.ok && answer.fault === "unavailable";
};

/** A search-then-act race in the binding, when another process deletes or writes at the same time (keychain notes, section 5). */
const isRace = (error: unknown) => error instanceof Error && /No such interface|Object does not exist/.test(error.message);

/** Every fault of the binding has the same code; its message's beginning tells them apart. No message holds a value. */
function faultOf(error: unknown): KeychainAnswer {
  const message = error instanceof Error ? error.message : "unknown fault";
  if (message.startsWith("Entry is matched by")) return refused("unavailable", "several items of the keychain have this service and user name: delete those that are not wanted");
  if (/^Couldn't access platform storage|dismissed|locked|-25308|interaction is not allowed/i.test(message)) return refused("locked", message);
  return refused(/Did not receive a reply|timed? ?out/i.test(message) ? "timed-out" : "unavailable", message);
}

/** Takes requests from stdin, one after the other, and minds whether the parent is still there. */
function listen(): void {
  const kept: Kept = { entries: new Map(), look: {} };
  const state: { text: string; busy: KeychainRequest | undefined; parentIsGone: boolean } = { text: "", busy: undefined, parentIsGone: false };
  const next = () => {
    const end = state.text.indexOf("\n");
    if (state.busy !== undefined) return;
    if (end === -1) {
      if (state.parentIsGone) endNow();
      return;
    }
    const request = parseKeychainRequest(state.text.slice(0, end));
    state.text = state.text.slice(end + 1);
    if (request === undefined) {
      answer(refused("unavailable", "the request cannot be read"));
      endNow();
      return;
    }
    state.busy = request;
    const deadline = setTimeout(endNow, request.deadlineMs + 1_000);
    void serve(request, kept)
      .catch((error: unknown) => faultOf(error))
      .then((reply) => {
        clearTimeout(deadline);
        state.busy = undefined;
        answer(reply);
        next();
      });
  };
  // The terminal's Ctrl-C and a dying parent must not cut a write short.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE"] as const) process.on(name, () => undefined);
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (chunk: string) => {
    state.text += chunk;
    next();
  });
  process.stdin.on("close", () => {
    state.parentIsGone = true;
    // Half a request is dropped; what came whole is in hand, and only what changes something is finished.
    state.text = "";
    if (state.busy === undefined || state.busy.op === "read" || state.busy.op === "probe") endNow();
  });
  process.stdin.on("error", () => undefined);
}

listen();
