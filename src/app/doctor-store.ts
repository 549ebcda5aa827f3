import { fromError, type Outcome, together, warn } from "../core/checks/outcome.ts";
import { lockName } from "../core/keys.ts";
import { safeText } from "../core/untrusted-text.ts";
import type { OidcError } from "../errors/oidc-error.ts";
import { attempt } from "./doctor-session.ts";
import type { Run } from "./world.ts";

/** The Windows credential manager's limit on one item (CRED_MAX_CREDENTIAL_BLOB_SIZE). Bytes. */
const windowsLimit = 2_560;

const folders = ["sessions", "refresh", "credentials"] as const;

/**
 * D-16: a throw-away item is written, read and removed where the refresh token rests; the files beside it are read, with the checks of owner
 * and mode that every read has; the refresh lock is tried; what was left behind is named. After the refresh of D-15, which uses all of it.
 */
export async function checkStore(run: Run): Promise<Outcome> {
  const { world, session } = run;
  const probed = await attempt(() => world.store.probe());
  const hasToken = session.record?.hasRefreshToken === true;
  const stored = probed.kind === "value" && hasToken ? await attempt(() => world.store.read(session.itemName)) : undefined;
  const outcomes: Outcome[] = [
    ...(probed.kind === "fault" ? [fromError(probed.error)] : []),
    ...(stored?.kind === "fault" ? [fromError(stored.error)] : []),
    ...(stored?.kind === "value" && stored.value === undefined
      ? [warn(`the record says that ${safeText(world.store.describe(), 200)} holds the refresh token, and it is not there`, "run: kubectl oidc login")]
      : []),
    ...(world.store.keeps ? [] : [warn("nothing is stored: every run is a login", "choose another --token-cache-storage than none")]),
    ...(await fileFaults(run)).map(fromError),
    ...(session.record === undefined ? [] : await lockFaults(run)),
    ...leftBehind(run),
  ];
  return together(
    outcomes,
    `${safeText(world.store.describe(), 200)}${hasToken ? `, which holds the refresh token${sizeOf(stored?.kind === "value" ? stored.value : undefined)}` : ""}`,
  );
}

function sizeOf(item: string | undefined): string {
  if (item === undefined) return "";
  const bytes = new TextEncoder().encode(item).length;
  return ` (${bytes} bytes${bytes > windowsLimit ? "; in several items on Windows" : ""})`;
}

/** A folder or file of another user, or one that others may write: every different fault once. */
async function fileFaults({ world, session }: Run): Promise<readonly OidcError[]> {
  const faults: OidcError[] = [];
  const note = async (action: () => void) => {
    const done = await attempt(async () => action());
    if (done.kind === "fault" && !faults.some(({ message }) => message === done.error.message)) faults.push(done.error);
  };
  for (const folder of folders) {
    await note(() => {
      for (const name of world.files.list(folder)) if (!name.endsWith(".corrupt")) world.files.read(`${folder}/${name}`);
    });
  }
  // Room for a file is taken and given back, with the checks of a write.
  if (session.record !== undefined) await note(() => world.files.reserve("sessions/doctor").drop());
  return faults;
}

/** Who holds the lock now was not waited for by the refresh of D-15: that was over before. */
async function lockFaults({ world, session, signal }: Run): Promise<readonly Outcome[]> {
  const holder = { text: "another process" };
  const taken = await attempt(async () =>
    (await world.locks()).take(`refresh-${lockName(session)}`, 0, signal, {
      onWait: (found) => {
        if (found !== undefined) holder.text = `process ${found.pid}`;
      },
    }),
  );
  if (taken.kind === "fault") return [fromError(taken.error)];
  if (taken.value === undefined) return [warn(`${holder.text} holds the session's refresh lock`, "wait for it; if it stays, end that process")];
  taken.value.release();
  return [];
}

function leftBehind({ world }: Run): readonly Outcome[] {
  const names = (folder: string, pattern: RegExp) => {
    try {
      return world.files
        .list(folder)
        .filter((name) => pattern.test(name))
        .map((name) => safeText(`${folder}/${name}`, 80));
    } catch {
      // Said by the look at the files.
      return [];
    }
  };
  const damaged = folders.flatMap((folder) => names(folder, /\.corrupt$/));
  const journal = names("journal", /./);
  const where = safeText(world.files.folder, 200);
  return [
    ...(damaged.length > 0 ? [warn(`damaged files were moved aside: ${damaged.join(", ")}`, `look at them in ${where}, then remove them`)] : []),
    ...(journal.length > 0
      ? [
          warn(
            `an answer of the issuer waits in ${where}/journal, encrypted, because ${safeText(world.store.describe(), 120)} did not take it`,
            "run: kubectl oidc token --force-refresh",
          ),
        ]
      : []),
  ];
}
