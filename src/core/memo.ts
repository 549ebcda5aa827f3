import { folderVariables } from "./data-folder.ts";
import { detectedVariables, jobVariables, secretJobVariable } from "./job-variables.ts";
import { mixedName } from "./mixed-name.ts";
import { isTexts } from "./session.ts";
import { sha256Hex } from "./sha256.ts";

/**
 * A memo is a judged answer: "for exactly these inputs, hand out what lies in that credential file, by this policy".
 * The hot path looks it up; only the cold path writes it (docs/adr/0001-hot-path.md). It has no authority of its own:
 * its id must stand in the credential file.
 */
export interface Memo {
  readonly version: 1;
  /** 128 random bits, hex. */
  readonly id: string;
  readonly inputs: readonly string[];
  readonly salt: string;
  /** Salted SHA-256 of every secret-bearing input, in order. */
  readonly digests: readonly string[];
  /** The working directory, when a path among the inputs is relative. */
  readonly cwd: string | null;
  /** Configuration files: path and stamp. */
  readonly stamps: readonly (readonly [string, string])[];
  readonly credentialFile: string;
  readonly kind: "id" | "access";
  readonly minValidity: number;
  readonly ttl: number;
  readonly apiVersion: "client.authentication.k8s.io/v1" | "client.authentication.k8s.io/v1beta1";
  /** Who renews it asks the OS keychain for the refresh token. */
  readonly keychain?: true | undefined;
}

/** Options whose value may be a secret; a test compares this with the option table. */
export const secretOptions: readonly string[] = ["oidc-client-secret", "oidc-auth-request-extra-params", "oidc-request-header", "password"];
/** The variables of these, written out: to make them of the options took a sixth of the standalone executable's look-up. A test compares them. */
export const secretVariables: readonly string[] = ["KUBECTL_OIDC_CLIENT_SECRET", "KUBECTL_OIDC_AUTH_REQUEST_EXTRA_PARAMS", "KUBECTL_OIDC_REQUEST_HEADER", "KUBECTL_OIDC_PASSWORD"];
const namedVariables: readonly string[] = [
  "KUBECACHEDIR",
  "NODE_TLS_REJECT_UNAUTHORIZED",
  "KUBERNETES_EXEC_INFO",
  "BROWSER",
  ...folderVariables,
  // Whose token it is: two jobs of one runner must not share one.
  ...jobVariables,
  secretJobVariable,
  ...detectedVariables,
];

export interface MemoInputs {
  /** The exact text of every input, secrets replaced by a mark. */
  readonly open: readonly string[];
  readonly secrets: readonly string[];
}

/** Every input that can change the answer, exactly as given. */
export function memoInputs(argv: readonly string[], env: Readonly<Record<string, string | undefined>>, programVersion: string): MemoInputs {
  const secrets: string[] = [];
  const hide = (value: string) => {
    secrets.push(value);
    return "\u0000secret";
  };
  const open = [programVersion, String(argv.length)];
  let nextIsSecret = false;
  for (const arg of argv) {
    const at = arg.indexOf("=");
    const isSecret = arg.startsWith("--") && secretOptions.includes(arg.slice(2, at === -1 ? undefined : at));
    if (nextIsSecret) open.push(hide(arg));
    else if (isSecret && at !== -1) open.push(arg.slice(0, at + 1) + hide(arg.slice(at + 1)));
    else open.push(arg);
    nextIsSecret = !nextIsSecret && isSecret && at === -1;
  }
  const names: string[] = [];
  for (const name of Object.keys(env)) if (name.startsWith("KUBECTL_OIDC_") || namedVariables.includes(name)) names.push(name);
  for (const name of names.sort()) {
    const value = env[name];
    if (value === undefined) continue;
    // A proxy URL in the cluster info may carry user info.
    const isSecret = secretVariables.includes(name) || name === secretJobVariable || (name === "KUBERNETES_EXEC_INFO" && value.includes("proxy-url") && value.includes("@"));
    open.push(`${name}=${isSecret ? hide(value) : value}`);
  }
  return { open, secrets };
}

/** File name of the memo for these inputs; a collision costs a miss, since the full text is compared. */
export const memoName = (open: readonly string[]) => `${mixedName(open)}.json`;

/** Salted digest of one secret input. */
export function secretDigest(salt: string, value: string): string {
  return sha256Hex(`${salt}\u0000${value}`);
}

/** True when the memo was made for exactly these inputs. */
export function isMemoFor(memo: Memo, inputs: MemoInputs): boolean {
  if (memo.inputs.length !== inputs.open.length || memo.digests.length !== inputs.secrets.length) return false;
  // Loops, here and below: Bun compiles `every`, `padStart` and the like from their source at the first call of a process, which takes longer than all that they do.
  for (let i = 0; i < inputs.open.length; i++) if (memo.inputs[i] !== inputs.open[i]) return false;
  for (let i = 0; i < inputs.secrets.length; i++) if (memo.digests[i] !== secretDigest(memo.salt, inputs.secrets[i] ?? "")) return false;
  return true;
}

/** A memo text → memo; undefined when it is not one. */
export function parseMemo(text: string): Memo | undefined {
  try {
    const m = JSON.parse(text) as Partial<Memo> | null;
    const valid =
      m !== null &&
      typeof m === "object" &&
      m.version === 1 &&
      // What it is made of does not matter: the credential file must list it.
      typeof m.id === "string" &&
      m.id.length === 32 &&
      isTexts(m.inputs) &&
      isTexts(m.digests) &&
      typeof m.salt === "string" &&
      (m.cwd === null || typeof m.cwd === "string") &&
      areStamps(m.stamps) &&
      typeof m.credentialFile === "string" &&
      (m.kind === "id" || m.kind === "access") &&
      typeof m.minValidity === "number" &&
      typeof m.ttl === "number" &&
      (m.apiVersion === "client.authentication.k8s.io/v1" || m.apiVersion === "client.authentication.k8s.io/v1beta1") &&
      (m.keychain === undefined || m.keychain === true);
    return valid ? (m as Memo) : undefined;
  } catch {
    return undefined;
  }
}

function areStamps(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (const stamp of value) if (!isTexts(stamp)) return false;
  return true;
}
