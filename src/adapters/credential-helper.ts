import { randomBytes } from "node:crypto";
import { isObject } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { SecretStore } from "../ports.ts";
import { callHelper } from "./credential-helper-call.ts";

/**
 * `--token-cache-storage=helper:NAME`: the docker credential helper protocol (docker-credential-helpers, README): the
 * program docker-credential-NAME with `store`, `get`, `erase`; the secret goes by stdin and stdout.
 * KEYCHAIN_UNAVAILABLE (missing program, its faults), KEYCHAIN_TIMED_OUT; SETTINGS_INVALID for a name that is not `[a-z0-9-]+`.
 */
export function credentialHelperStore(name: string, { deadlineMs }: { readonly deadlineMs: number }): SecretStore {
  // The settings were checked before; here it is what keeps a path out of the program's name.
  if (!/^[a-z0-9-]+$/.test(name)) fail("SETTINGS_INVALID", { message: "the name of a credential helper holds only a to z, 0 to 9 and -" });
  const program = `docker-credential-${name}`;
  const failed = (verb: string, reason: string): never =>
    fail("KEYCHAIN_UNAVAILABLE", {
      message: `${program} cannot ${verb} the session`,
      reason,
      hint: `run: ${program} list, and cure what it says; or choose another --token-cache-storage`,
    });
  const store: SecretStore = {
    kind: `helper:${name}`,
    keeps: true,
    describe: () => program,
    async probe() {
      // A name of its own: two logins may probe at the same time.
      const item = `kubectl-oidc-probe-${randomBytes(8).toString("hex")}`;
      await store.write(item, item);
      const same = (await store.read(item)) === item;
      await store.remove(item);
      if (!same) failed("give back", "it does not give back what was written");
    },
    async read(item) {
      const { status, out } = await callHelper(program, "get", serverUrl(item), deadlineMs);
      if (status !== 0) return isNotFound(out) ? undefined : failed("read", faultText(status, out));
      const found = parse(out);
      if (found === undefined) return failed("read", "its answer is not a credential");
      // Some helpers answer "not found" with an empty credential, and some look for the host only and find another's.
      return found.Secret === "" || (found.Username !== "" && found.Username !== item) ? undefined : found.Secret;
    },
    async write(item, value) {
      const { status } = await callHelper(program, "store", JSON.stringify({ ServerURL: serverUrl(item), Username: item, Secret: value }), deadlineMs);
      // What it says is not repeated: it was given the secret.
      if (status !== 0) failed("store", endText(status));
    },
    // What it does not take goes to the sealed journal.
    prepare: async () => ({ giveBack: () => undefined }),
    async remove(item) {
      const { status, out } = await callHelper(program, "erase", serverUrl(item), deadlineMs);
      if (status !== 0 && !isNotFound(out)) failed("erase", faultText(status, out));
    },
  };
  return store;
}

/** The name under which helpers keep it (cli.md M3): a URL, since some take nothing else. */
export function serverUrl(item: string): string {
  return `https://kubectl-oidc.invalid/${encodeURIComponent(item)}`;
}

/**
 * The protocol's text, that of older macOS helpers, and that of pass. Whole phrases: `executable file not found in $PATH` is a
 * helper without its own program, and must not pass for a session that was never stored.
 */
const isNotFound = (out: string) =>
  ["credentials not found in native keychain", "The specified item could not be found in the keychain", "is not in the password store"].some((text) => out.includes(text));

const endText = (status: number | null) => (status === null ? "a signal ended it" : `it ended with status ${status}`);

/** Its first line; not when it looks like a credential. */
function faultText(status: number | null, out: string): string {
  const line = /\{|secret|serverurl|username/i.test(out) ? "" : safeText(out.split("\n")[0], 120);
  return line === "" ? endText(status) : line;
}

function parse(out: string): { readonly Username: string; readonly Secret: string } | undefined {
  try {
    const value: unknown = JSON.parse(out);
    if (!isObject(value) || typeof value["Secret"] !== "string") return undefined;
    return { Username: typeof value["Username"] === "string" ? value["Username"] : "", Secret: value["Secret"] };
  } catch {
    return undefined;
  }
}
