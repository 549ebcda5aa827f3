import { parseSessionRecord } from "../core/session.ts";
import type { SessionRecord } from "../core/session.ts";
import { fail } from "../errors/oidc-error.ts";
import type { PrivateFiles, SessionStore } from "../ports.ts";

/**
 * Session records as private files, `sessions/<key>.json`. A damaged record is moved aside and counts as absent (a login
 * heals it); one of a newer program is STORE_UNREADABLE and stays as it is.
 */
export function sessionFiles(files: PrivateFiles): SessionStore {
  const fileOf = (key: string) => `sessions/${key}.json`;

  function read(key: string): SessionRecord | undefined {
    const text = files.read(fileOf(key));
    if (text === undefined) return undefined;
    const record = parseSessionRecord(text);
    if (record === "newer") return fail("STORE_UNREADABLE", { message: `the stored session ${key.slice(0, 8)} was written by a newer kubectl-oidc`, hint: "upgrade kubectl-oidc" });
    if (record === "damaged" || record.key !== key) {
      files.moveAside(fileOf(key));
      return undefined;
    }
    return record;
  }

  return {
    list: () =>
      files
        .list("sessions")
        .map((name) => /^([0-9a-f]{64})\.json$/.exec(name)?.[1])
        .flatMap((key) => (key === undefined ? [] : (read(key) ?? []))),
    read,
    write: (record) => files.write(fileOf(record.key), `${JSON.stringify(record)}\n`, "either"),
    remove: (key) => files.remove(fileOf(key)),
  };
}
