/** Parameters of a request to an issuer whose values nobody else may see (RFC 6749, 7521, 7636, 8628, 8693). */
const secretParameters = [
  "code",
  "code_verifier",
  "refresh_token",
  "client_secret",
  "client_assertion",
  "assertion",
  "password",
  "device_code",
  "subject_token",
  "actor_token",
  "token",
] as const;

/** Shorter values would blot out ordinary words. */
const shortest = 6;

/**
 * Takes the secrets of a request out of what its issuer says about it. An issuer (or whoever answers for it) that puts the code or the refresh
 * token into `error_description`, a header or a page would otherwise have us print it on a terminal, in a log, in CI's output.
 */
export function withoutSecretsOf(body: string | undefined, headers: Readonly<Record<string, string>>): (text: string) => string {
  const values = [...secretsOfForm(body), ...secretsOfHeader(headers["authorization"])].filter((value) => value.length >= shortest);
  // The longest first: one may begin with another.
  const forms = [...new Set(values.flatMap((value) => [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]))].sort((a, b) => b.length - a.length);
  return forms.length === 0 ? (text) => text : (text) => forms.reduce((rest, form) => rest.replaceAll(form, "[redacted]"), text);
}

function secretsOfForm(body: string | undefined): readonly string[] {
  if (body === undefined) return [];
  const form = new URLSearchParams(body);
  return secretParameters.flatMap((name) => form.getAll(name));
}

/** `Basic` holds client ID and secret, each percent-encoded (RFC 6749, section 2.3.1); anything else is a token. */
function secretsOfHeader(header: string | undefined): readonly string[] {
  const [, scheme = "", value = ""] = /^(\S+) +(.+)$/.exec(header ?? "") ?? [];
  if (scheme.toLowerCase() !== "basic") return value === "" ? [] : [value];
  const secret = Buffer.from(value, "base64").toString("utf8").split(":").slice(1).join(":");
  const decoded = new URLSearchParams(`x=${secret}`).get("x") ?? "";
  return [value, secret, decoded];
}
