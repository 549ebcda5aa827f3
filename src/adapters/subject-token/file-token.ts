import { safeText } from "../../core/untrusted-text.ts";
import { fail } from "../../errors/oidc-error.ts";
import { strangerTo } from "../secret-file.ts";
import { isPipe, readSmallFile, type SmallFile } from "./small-file.ts";
import type { SubjectReading } from "./subject-reading.ts";

/** Tries for a file that is being replaced, and milliseconds between two of them. */
const tries = 10;
const pause = 20;

/**
 * The token in a file, opened anew: platforms replace it (a projected token each hour or sooner). Kubernetes swaps the link `..data` to a new folder
 * and removes the old one, so that an open in between finds nothing; other writers write in place, so that half a token can be read: both
 * are looked at again. SUBJECT_TOKEN_INVALID for a file that cannot be read, or that others may write: its owner, or its group.
 */
export async function fileToken(path: string, { terminal, platform }: Pick<SubjectReading, "terminal" | "platform">): Promise<string> {
  const read = await settledFile(path);
  const bad = (reason: string, hint: string): never =>
    fail("SUBJECT_TOKEN_INVALID", { message: `the file with the subject token, ${safeText(path, 160)}, cannot be used`, reason, hint });
  if (read.kind === "fault")
    return bad(read.reason, read.reason === isPipe ? "have --subject-token-command run what writes it" : "check --subject-token-file, or the platform that writes it");
  const { mode, uid } = read;
  const stranger = strangerTo({ mode: 0, uid }, platform);
  if (stranger !== undefined) return bad(stranger, `make it yours or root's: chown it, or have what writes it run as you`);
  if (platform !== "win32" && (mode & 0o022) !== 0)
    return bad("others may write it, and so choose who this machine is", `let nobody else write it: chmod go-w ${safeText(path, 160)}`);
  // A platform's file (of root) is readable for the containers of a pod; in one of our own it is a slip.
  if (platform !== "win32" && (mode & 0o004) !== 0 && uid === process.geteuid?.())
    terminal.warn(`other users of this computer can read the subject token in ${safeText(path, 160)}; chmod 600 keeps it from them`);
  return read.text.trim();
}

async function settledFile(path: string): Promise<SmallFile> {
  let read = await readSmallFile(path);
  for (let nth = 1; nth < tries && isBetween(read); nth++) {
    await new Promise((done) => setTimeout(done, pause));
    read = await readSmallFile(path);
  }
  return read;
}

/** What a moment later may be whole. */
const isBetween = (read: SmallFile) => (read.kind === "fault" ? ["ENOENT", "it is empty"].includes(read.reason) : read.hasChanged);
