import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Starts a server at the first call, in a folder of its own, for every describe of a file; it ends with the file's tests. */
export function onceStarted<Server extends { stop(): Promise<void> }>(start: (program: string, folder: string) => Promise<Server>): (program: string) => Promise<Server> {
  let folder: string | undefined;
  let started: Promise<Server> | undefined;
  afterAll(async () => {
    await (await started?.catch(() => undefined))?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  return (program) => {
    folder ??= mkdtempSync(join(tmpdir(), "kubectl-oidc-issuer-"));
    started ??= start(program, folder);
    return started;
  };
}
