import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { credentialKey, itemName, sessionKey } from "../../../src/core/keys.ts";
import { type Memo, memoInputs, memoName } from "../../../src/core/memo.ts";
import type { CredentialRecord, SessionIdentity, SessionRecord } from "../../../src/core/session.ts";

/**
 * Fills a store with `count` sessions of other people at other issuers: a record, a credential and a memo each, as the program names and writes
 * them. (By itself the program keeps 512 memos.) The token is as long as a real one.
 */
export function writeManySessions(store: string, count: number, token: string, now: number): void {
  for (const folder of ["sessions", "credentials", "memo"]) mkdirSync(join(store, folder), { recursive: true, mode: 0o700 });
  const write = (name: string, value: object) => writeFileSync(join(store, name), JSON.stringify(value), { mode: 0o600 });
  for (let i = 0; i < count; i++) {
    const issuer = `https://id-${i}.example.com`;
    const identity: SessionIdentity = {
      issuer,
      clientId: "kubernetes",
      scopes: ["groups"],
      account: `person-${i}@example.com`,
      grant: "person",
      extraParams: [],
      storage: "keyring",
    };
    const key = sessionKey(identity);
    const record: SessionRecord = {
      schema: 1,
      key,
      identity,
      itemName: itemName(identity),
      hasRefreshToken: true,
      subject: `subject-${i}`,
      displayName: `person-${i}@example.com`,
      tokenExpiresAt: new Date((now + 3600) * 1000).toISOString(),
      loggedInAt: new Date(now * 1000).toISOString(),
    };
    const id = i.toString(16).padStart(32, "0");
    const credential: CredentialRecord = { schema: 1, sessionKey: key, kind: "id", token, expiresAt: now + 3600, receivedAt: now, servers: [], memoIds: [id] };
    const credentialName = `credentials/${credentialKey(key, [], false)}.json`;
    const { open } = memoInputs(["get-token", `--oidc-issuer-url=${issuer}`, "--oidc-client-id=kubernetes", "--oidc-extra-scope=groups"], {}, "0.0.0");
    const memo: Memo = {
      version: 1,
      id,
      inputs: open,
      salt: id,
      digests: [],
      cwd: null,
      stamps: [],
      credentialFile: join(store, credentialName),
      kind: "id",
      minValidity: 60,
      ttl: 300,
      apiVersion: "client.authentication.k8s.io/v1",
    };
    write(`sessions/${key}.json`, record);
    write(credentialName, credential);
    write(`memo/${memoName(open)}`, memo);
  }
}
