import { provingKeys } from "../core/key-set.ts";
import type { IssuerInspection } from "../core/checks/issuer.ts";
import { offsetOf } from "./date-header.ts";
import type { DeadlineFetch } from "./https-fetch.ts";
import { checkMetadata, discover, endpoint } from "./issuer-metadata.ts";
import { signatureHolds } from "./token-signature.ts";

/** Asks the issuer itself, whatever a cache knows. `usesAliases` as in `checkMetadata`. The codes of discovery; a key set that cannot be had is undefined. */
export async function inspectIssuer(issuer: string, clientId: string, fetch: DeadlineFetch, usesAliases = false): Promise<IssuerInspection> {
  const { host } = new URL(issuer);
  const clock: { offset: number | undefined } = { offset: undefined };
  const metadata = await discover(
    issuer,
    clientId,
    async (...request) => {
      const asked = Date.now();
      const response = await fetch(...request);
      clock.offset = offsetOf(response.headers.get("date"), asked, Date.now());
      return response;
    },
    host,
  );
  checkMetadata(metadata, issuer, host, usesAliases);
  const keysAt = endpoint(metadata, "jwks_uri");
  const keys = keysAt === undefined ? undefined : await keysOf(keysAt, fetch);
  const names = keys?.map((key) => ("kid" in key && typeof key.kid === "string" ? key.kid : undefined));
  return { metadata, clockOffset: clock.offset, keys: names, verifies: (token) => signatureHolds(token, keys ?? []) };
}

async function keysOf(url: string, fetch: DeadlineFetch): Promise<readonly object[] | undefined> {
  try {
    const response = await fetch(url, { method: "GET", headers: { accept: "application/json" }, body: null, redirect: "manual" });
    const keys = response.status === 200 ? provingKeys(JSON.parse(await response.text())) : undefined;
    return typeof keys === "string" ? undefined : keys;
  } catch {
    return undefined;
  }
}
