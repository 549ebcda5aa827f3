import { join } from "node:path";
import { sha256Hex } from "../core/sha256.ts";
import type { PrivateFiles } from "../ports.ts";

/** The place of one client's secret. */
export interface KeptClientSecret {
  /** Absolute; for `--oidc-client-secret-file`. */
  readonly path: string;
  /** What is kept there; undefined when nothing is. STORE_UNSAFE. */
  read(): string | undefined;
  /** Durable, 0600. STORE_UNSAFE, STORE_UNWRITABLE. */
  write(secret: string): void;
}

/** A kubeconfig goes around by mail and chat; a secret that it held is kept beside the store in its place. */
export function keptClientSecret(files: PrivateFiles, issuer: string, clientId: string): KeptClientSecret {
  const name = `client-secrets/${sha256Hex(JSON.stringify([issuer, clientId])).slice(0, 16)}`;
  return { path: join(files.folder, name), read: () => files.read(name), write: (secret) => files.write(name, secret) };
}
