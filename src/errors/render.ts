import { entryOf } from "./catalogue.ts";
import type { OidcError } from "./oidc-error.ts";

/**
 * At most three lines for a terminal (kubectl passes them through): what, why, what to do.
 * Every part was made safe for a terminal before it came here; the writer's gate is behind it.
 */
export function terminalLines(error: OidcError): readonly string[] {
  const lines = [`kubectl-oidc: error: ${error.message} [${error.code}]`];
  if (error.reason !== undefined && error.reason !== "") lines.push(`kubectl-oidc: cause: ${error.reason}`);
  lines.push(`kubectl-oidc: hint: ${error.hint}`);
  return lines;
}

/** The JSON form (`-o json`): one object, the last line of stderr. */
export function errorJson(error: OidcError): string {
  return JSON.stringify({
    code: error.code,
    title: entryOf(error.code).title,
    detail: error.reason === undefined ? error.message : `${error.message}: ${error.reason}`,
    hint: error.hint,
    exit: error.exitStatus,
  });
}
