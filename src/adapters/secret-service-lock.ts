import { type BusConnection, type BusFault, connectToBus } from "./dbus-connection.ts";
import type { Message, MethodCall } from "./dbus-message.ts";

/** Could the keychain binding reach an item without raising the unlock dialog? */
export type SecretServiceState =
  | { readonly state: "unlocked" }
  | { readonly state: "locked"; readonly reason: string }
  | { readonly state: "timed-out"; readonly reason: string }
  | { readonly state: "unavailable"; readonly reason: string };

/** The attributes that the binding gives an item. */
interface ItemName {
  readonly service: string;
  readonly username: string;
}

/** A connection to the bus that outlives one look. */
export interface KeptBus {
  bus?: BusConnection | undefined;
}

/** Milliseconds for the bus and the service together. gnome-keyring answers within 30; a service that must start first needs a second. */
const askDeadline = 3_000;

const service = { destination: "org.freedesktop.secrets", path: "/org/freedesktop/secrets", interface: "org.freedesktop.Secret.Service" } as const;

/**
 * Is the default keyring locked, or does the item lie in another one that is? Asked over D-Bus by hand, because the keychain
 * binding can only find out by raising the unlock dialog, and under kubectl nobody sees that (docs/adr/0002-keychain-binding.md):
 * it unlocks whatever keyring holds a matching item. Reads only. The search comes last, because KeePassXC unlocks for a search
 * when all is locked. `kept`: the connection of the look before, and for the next. Source: Secret Service API 0.2: ReadAlias, Collection.Locked, SearchItems.
 */
export async function secretServiceState(env: Readonly<Record<string, string | undefined>>, item: ItemName, kept?: KeptBus): Promise<SecretServiceState> {
  const path = busPath(env);
  if (path === undefined) return { state: "unavailable", reason: "no session bus (DBUS_SESSION_BUS_ADDRESS names none that can be used)" };
  for (let tries = 1; ; tries++) {
    const isReused = kept?.bus !== undefined;
    const found = await lookOnce(path, item, kept);
    // The bus was started anew.
    if (isReused && found.state === "unavailable" && kept.bus === undefined) continue;
    if (found.state !== "unavailable" || !passes.test(found.reason) || tries >= mostLooks) return found;
    await new Promise((resolve) => setTimeout(resolve, betweenLooks));
  }
}

/**
 * gnome-keyring reads its folder anew when a keyring's file was written, and has no default keyring in that moment: of 540 operations beside
 * others one met it. A computer that has none says so at the last look too.
 */
const passes = /^the Secret Service has no default keyring|UnknownObject|NoSuchObject/;
const mostLooks = 5;
/** Milliseconds. */
const betweenLooks = 60;

async function lookOnce(path: string, item: ItemName, kept: KeptBus | undefined): Promise<SecretServiceState> {
  const bus = kept?.bus ?? connectToBus(path);
  const lift = bus.deadline(askDeadline);
  try {
    const alias = await answered(bus, { ...service, member: "ReadAlias", args: ["default"] }, "o", (body) => body.text());
    if ("state" in alias) return alias;
    if (alias.value === "/") return { state: "unavailable", reason: "the Secret Service has no default keyring yet" };
    const property = { ...service, path: alias.value, interface: "org.freedesktop.DBus.Properties", member: "Get", args: ["org.freedesktop.Secret.Collection", "Locked"] };
    const locked = await answered(bus, property, "v", (body) => body.signature() !== "b" || body.uint32() !== 0);
    if ("state" in locked) return locked;
    if (locked.value) return { state: "locked", reason: "the default keyring is locked" };
    const found = await answered(bus, { ...service, member: "SearchItems", args: [{ service: item.service, username: item.username }] }, "aoao", (body) => {
      body.texts();
      return body.texts();
    });
    if ("state" in found) return found;
    return found.value.length > 0 ? { state: "locked", reason: "the item lies in a keyring that is locked" } : { state: "unlocked" };
  } finally {
    lift();
    if (kept === undefined) bus.close();
    else kept.bus = bus.isOver() ? undefined : bus;
  }
}

/** One call and what its answer says; or the state that its failure means. */
async function answered<T>(bus: BusConnection, call: MethodCall, signature: string, read: (body: Message["body"]) => T): Promise<{ readonly value: T } | SecretServiceState> {
  const answer = await bus.call(call);
  if ("fault" in answer) return stateOfFault(answer);
  if (answer.error !== undefined) return stateOfError(answer.error);
  try {
    if (answer.signature === signature) return { value: read(answer.body) };
  } catch {
    // Falls through: as unreadable as one of another type.
  }
  return { state: "unavailable", reason: `the Secret Service's answer to ${call.member} cannot be read` };
}

const stateOfFault = ({ fault, reason }: BusFault): SecretServiceState =>
  fault === "timed-out" ? { state: "timed-out", reason: "the Secret Service does not answer" } : { state: "unavailable", reason };

function stateOfError(name: string): SecretServiceState {
  if (/NoReply|Timeout|TimedOut/.test(name)) return { state: "timed-out", reason: "the Secret Service does not answer" };
  if (/IsLocked/.test(name)) return { state: "locked", reason: "the keyring is locked" };
  const missing = /ServiceUnknown|NameHasNoOwner|Spawn/.test(name);
  return { state: "unavailable", reason: missing ? "no Secret Service on the session bus (org.freedesktop.secrets)" : name };
}

/** The path of a unix: address; the first that we can use. Abstract names begin with a NUL byte. */
function busPath(env: Readonly<Record<string, string | undefined>>): string | undefined {
  for (const address of (env["DBUS_SESSION_BUS_ADDRESS"] ?? "").split(";")) {
    const match = /^unix:(?:.*,)?(path|abstract)=([^,]*)/.exec(address);
    if (match === null) continue;
    try {
      return `${match[1] === "abstract" ? "\u0000" : ""}${decodeURIComponent(match[2] ?? "")}`;
    } catch {
      // Not an address: a % that begins no escape.
    }
  }
  return undefined;
}
