import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/**
 * Every secret that an issuer of a test handed out or received is a canary: found anywhere but where it belongs, it fails the test that
 * closes the home (`newHome().remove()`). Issuers note what they see; a test that makes a secret of its own notes it with `noteSecret`.
 */
export type SecretKind = "code" | "verifier" | "refresh token" | "token" | "device code" | "client secret" | "password" | "assertion" | "header";

const known = new Map<string, SecretKind>();

/** Shorter texts are found by chance. */
const shortest = 8;

export function noteSecret(kind: SecretKind, text: unknown): void {
  if (typeof text === "string" && text.length >= shortest) known.set(text, kind);
}

const requestMembers: Readonly<Record<string, SecretKind>> = {
  code: "code",
  code_verifier: "verifier",
  refresh_token: "refresh token",
  device_code: "device code",
  client_secret: "client secret",
  password: "password",
  client_assertion: "assertion",
  assertion: "assertion",
  subject_token: "assertion",
};
const answerMembers: Readonly<Record<string, SecretKind>> = { refresh_token: "refresh token", access_token: "token", id_token: "token", device_code: "device code" };

/** Notes what one exchange with an issuer carried: form, Authorization header, JSON answer, code of a redirect. */
export function noteExchange(form: Iterable<readonly [string, string]>, authorization: string | undefined, json: unknown, location: string | undefined): void {
  for (const [name, value] of form) noteSecret(requestMembers[name] ?? "header", requestMembers[name] === undefined ? undefined : value);
  if (authorization !== undefined) noteSecret("header", authorization.replace(/^\w+ /, ""));
  if (typeof json === "object" && json !== null) for (const [name, kind] of Object.entries(answerMembers)) noteSecret(kind, (json as Record<string, unknown>)[name]);
  if (location !== undefined && URL.canParse(location)) noteSecret("code", new URL(location).searchParams.get("code") ?? undefined);
}

/** A secret as it would stand in another coding; base64 at each of its three alignments. */
function formsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const aligned = [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    return whole.slice(shift === 0 ? 0 : 4, Math.floor((shift + bytes.length) / 3) * 4);
  });
  return [text, encodeURIComponent(text), bytes.toString("hex"), ...aligned.flatMap((base) => [base, base.replaceAll("+", "-").replaceAll("/", "_")])].filter(
    (form) => form.length >= shortest,
  );
}

const forms = new Map<string, readonly string[]>();

/** The kinds of secrets in a text, but those that may be there. */
export function secretsIn(text: string, allowed: readonly SecretKind[] = []): readonly SecretKind[] {
  const found = new Set<SecretKind>();
  for (const [secret, kind] of known) {
    if (allowed.includes(kind) || found.has(kind)) continue;
    const all = forms.get(secret) ?? formsOf(secret);
    forms.set(secret, all);
    if (all.some((form) => text.includes(form))) found.add(kind);
  }
  return [...found];
}

/** What may lie where: the store on disk, and the short-lived tokens beside it. `declared`: files and folders that the test itself made for secrets. */
function allowedAt(path: string, declared: readonly string[]): readonly SecretKind[] | "all" {
  if (declared.some((place) => path === place || path.startsWith(`${place}/`))) return "all";
  if (/(^|\/)refresh\/[^/]+$/.test(path)) return ["refresh token", "token"];
  if (/(^|\/)credentials\/[^/]+$/.test(path)) return ["token"];
  // The test's own stanza; what a program must never do is to copy from it.
  return path === "kubeconfig" ? ["client secret", "password", "header"] : [];
}

/** `place: kind` for every secret in a file under the folder that does not belong there. */
export function strayFiles(folder: string, declared: readonly string[]): readonly string[] {
  let entries: readonly { readonly name: string; readonly parentPath: string; isFile(): boolean }[];
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      const allowed = allowedAt(relative(folder, path), declared);
      const text = allowed === "all" ? "" : readQuietly(path);
      return secretsIn(`${entry.name}\n${text}`, allowed === "all" ? [] : allowed).map((kind) => `${relative(folder, path)}: a ${kind}`);
    });
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** Arguments and environments of every process below this one, as they are now; Linux only. */
export function processesBelow(pid: number): readonly string[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ").filter(Boolean).map(Number);
    return children.flatMap((child) => [`${readQuietly(`/proc/${child}/cmdline`)}\n${readQuietly(`/proc/${child}/environ`)}`, ...processesBelow(child)]);
  } catch {
    return [];
  }
}
