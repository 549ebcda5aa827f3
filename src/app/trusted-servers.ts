import type { SecretItem, TrustedServer } from "../core/session.ts";
import { fail } from "../errors/oidc-error.ts";
import { isPureMachine } from "../core/keys.ts";
import { readCredential } from "./keep-session.ts";
import { underRefreshLock } from "./refresh-lock.ts";
import type { Run } from "./world.ts";

/** The API servers that the session may be used with (cli.md M9); an empty list lets it be used with every one. The store's codes. */
export async function trustedServers(run: Run): Promise<readonly TrustedServer[]> {
  return (await run.world.secrets.read(run.session.itemName))?.servers ?? (await serversOfMachine(run));
}

/**
 * Replaces the session's server list by what `change` makes of it, under the refresh lock; gives the new list. The list may come before
 * the first login. Cached tokens of the session get it too, and what the hot path may release without judging is forgotten: a memo was
 * judged under the old list. SETTINGS_INVALID for a session that is stored nowhere, LOCK_TIMED_OUT, the store's codes.
 */
export async function changeServers(run: Run, change: (servers: readonly TrustedServer[]) => readonly TrustedServer[]): Promise<readonly TrustedServer[]> {
  const { world, session } = run;
  if (!world.store.keeps)
    return fail("SETTINGS_INVALID", { message: "a session that is stored nowhere has no list of servers", hint: "choose another --token-cache-storage than none" });
  return underRefreshLock(run, async () => {
    const item: SecretItem = (await world.secrets.read(session.itemName)) ?? { schema: 1, trust: world.trust(), servers: await serversOfMachine(run) };
    const servers = change(item.servers);
    // The cached tokens first: killed in between, a server that was to go gets nothing any more without being judged by the item's list.
    await world.credentials.setServersOfAll(session.key, servers);
    const sealedFor = await world.secrets.write(session.itemName, { ...item, servers });
    if (sealedFor !== undefined) throw sealedFor;
    return servers;
  });
}

/** Without a refresh token there is no item: the list lies with the token. */
async function serversOfMachine(run: Run): Promise<readonly TrustedServer[]> {
  return isPureMachine(run.settings.grant) ? ((await readCredential(run).catch(() => undefined))?.servers ?? []) : [];
}
