import type { Settings } from "../settings.ts";
import { safeText } from "../untrusted-text.ts";
import { failed, type Outcome } from "./outcome.ts";

/** Grants as discovery documents name them (RFC 8414, section 2). */
const names: Readonly<Record<string, string>> = {
  "client-credentials": "client_credentials",
  "token-exchange": "urn:ietf:params:oauth:grant-type:token-exchange",
  "jwt-bearer": "urn:ietf:params:oauth:grant-type:jwt-bearer",
  password: "password",
};

/** D-05: is a machine's grant among those that the issuer lists? Undefined: it is, it lists none, or the session needs none of them. */
export function checkGrant(metadata: Readonly<Record<string, unknown>>, { grant, mayHandThrough }: Pick<Settings, "grant" | "mayHandThrough">): Outcome | undefined {
  const name = names[grant];
  const listed = metadata["grant_types_supported"];
  if (name === undefined || mayHandThrough || !Array.isArray(listed) || listed.includes(name)) return undefined;
  const shown = listed.map((one) => safeText(one, 60)).join(", ");
  return failed(
    "GRANT_UNSUPPORTED",
    `the issuer does not list the grant ${name} (it lists ${shown === "" ? "none" : shown})`,
    "choose another --grant-type, or allow the grant at the issuer",
  );
}
