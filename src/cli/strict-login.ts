import { failServer } from "../app/refresh-lock.ts";
import type { Run } from "../app/world.ts";
import { mayBeUsedWith } from "../core/server-trust.ts";
import type { Call } from "./call.ts";

/**
 * Under `strict`, kubectl may start no login for a server that other sessions of the same issuer and client do not know. Without this, one
 * scope more in a poisoned stanza would be another session, whose list is still empty: the issuer knows the browser and asks nobody, and
 * the stanza's server gets the token. The first session of a client may begin with any server (cli.md M9). SERVER_NOT_TRUSTED; the
 * stores' codes: a list that cannot be read may be the one that matters.
 */
export async function refuseUnknownServer(call: Call, run: Run): Promise<void> {
  const { issuer, clientId } = run.settings;
  const folders = new Set([...call.machine.usualFolders, run.world.files.folder]);
  const lists = await Promise.all(
    [...folders].flatMap((folder) =>
      call.machine
        .sessionsIn(folder)
        .list()
        .filter(({ identity }) => identity.issuer === issuer && identity.clientId === clientId)
        .map((record) => call.machine.serversOf(record, folder)),
    ),
  );
  const known = lists.flat();
  if (!mayBeUsedWith(known, run.server)) failServer(run, known);
}
