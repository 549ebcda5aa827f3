import { closeSync, mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import addonPath from "kubectl-oidc:keyring-file";
import type { KeychainBinding } from "../keychain-binding.ts";
import { libc } from "./libc.ts";

/**
 * The keychain addon inside the standalone executable for Linux. Bun alone would write it to a name in /tmp that is known beforehand and
 * leave it there; here it is loaded from memory, so that nobody can put another one in its place and a /tmp that forbids programs does not matter.
 */
export async function keychainBinding(): Promise<KeychainBinding> {
  const bytes = readFileSync(addonPath);
  return fromMemory(bytes) ?? fromFolders(bytes);
}

/** Undefined when the kernel gives no such file, or forbids to run what is in it (vm.memfd_noexec). */
function fromMemory(bytes: Uint8Array): KeychainBinding | undefined {
  const closeOnExec = 1;
  const fd = libc().memfdCreate("kubectl-oidc", closeOnExec);
  if (fd < 0) return undefined;
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
    return loaded(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** The runtime folder may not be there, or forbid programs, as the temporary one may. */
function fromFolders(bytes: Uint8Array): KeychainBinding {
  const runtime = process.env["XDG_RUNTIME_DIR"];
  if (!runtime) return fromFolder(tmpdir(), bytes);
  try {
    return fromFolder(runtime, bytes);
  } catch {
    return fromFolder(tmpdir(), bytes);
  }
}

/** From a folder that is made for this once and that nobody else can enter. */
function fromFolder(parent: string, bytes: Uint8Array): KeychainBinding {
  const folder = mkdtempSync(join(parent, "kubectl-oidc-"));
  try {
    const path = join(folder, "keyring.node");
    writeFileSync(path, bytes, { mode: 0o600, flag: "wx" });
    return loaded(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function loaded(path: string): KeychainBinding {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports as KeychainBinding;
}
