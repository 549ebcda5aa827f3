import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { auditLine, type AuditOrigin, auditSchema } from "../core/audit-entry.ts";
import { rfc3339 } from "../core/exec-credential.ts";
import { isOidcError } from "../errors/oidc-error.ts";
import type { AuditLog } from "../ports.ts";
import { appendLine } from "./audit-files.ts";
import { parentName } from "./parent-name.ts";

/** Where the log lies, and who writes it. */
export interface AuditWriter {
  readonly folder: string;
  /** Process id of the program that started this one. */
  readonly parent: number;
  readonly platform: string;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly warn: (text: string) => void;
}

/** The audit log as numbered files (`audit-files.ts`). What keeps a line from being written is said, once, and is nobody's error. */
export function auditLog({ folder, parent, platform, version, now, warn }: AuditWriter): AuditLog {
  // Asked at once: by the time there is something to write, the answer is there.
  const name = parentName(parent, platform).catch(() => undefined);
  return {
    newLoginId: () => randomBytes(8).toString("hex"),
    async record(event) {
      try {
        const origin: AuditOrigin = { pid: process.pid, parent: { pid: parent, ...optionalName(await name) }, ...whoWeAre(), version };
        appendLine(folder, auditLine({ schema: auditSchema, time: rfc3339(now() / 1000), ...event, ...origin }));
      } catch (error) {
        const why = isOidcError(error) ? `${error.message}${error.reason === undefined ? "" : ` (${error.reason})`} [${error.code}]; ${error.hint}` : "an unexpected fault";
        warn(`the audit log could not be written: ${why}`);
      }
    },
  };
}

const optionalName = (name: string | undefined) => (name === undefined ? {} : { name });

/** The number counts: in the standalone executable the name is what USER says, which a kubeconfig's `env` can set. */
function whoWeAre(): Pick<AuditOrigin, "user" | "uid" | "host"> {
  const uid = process.geteuid?.();
  return { user: userName(), ...(uid === undefined ? {} : { uid }), host: hostname() };
}

/** A user that is in no database (a container's) has a number only. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.() ?? "unknown");
  }
}
