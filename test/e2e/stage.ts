import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { type ScriptedIssuer, startScriptedIssuer } from "../issuer/scripted-issuer.ts";
import { type Home, newHome, type Started } from "./program.ts";

/** A fresh home and issuer for every test of a file that calls `useStage`. */
export let home: Home;
export let issuer: ScriptedIssuer;

export function useStage(): void {
  beforeEach(async () => {
    home = newHome();
    issuer = await startScriptedIssuer();
  });
  afterEach(async () => {
    home.remove();
    await issuer.stop();
  });
}

/** Options of a session at that issuer, with a store on disk and no browser. */
export const options = (...more: string[]) => [
  `--oidc-issuer-url=${issuer.url}`,
  "--oidc-client-id=kubernetes",
  "--token-cache-storage=disk",
  "--listen-address=127.0.0.1:0",
  "--skip-open-browser",
  ...more,
];

/** `get-token` with those options. */
export const session = (...more: string[]) => ["get-token", ...options(...more)];

/** Makes the cached token old: this many seconds are left of the 300 that it lived. */
export function ageToken(left = 1): void {
  const folder = join(home.data, "credentials");
  const file = join(folder, readdirSync(folder)[0] ?? "");
  const now = Date.now() / 1000;
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), receivedAt: now - 300 + left, expiresAt: now + left }), { mode: 0o600 });
}

/** A process that waits for a lock watches its file (inotify). */
export function waitsForLock({ child }: Started): boolean {
  try {
    return readdirSync(`/proc/${child.pid}/fdinfo`).some((fd) => readFileSync(`/proc/${child.pid}/fdinfo/${fd}`, "utf8").includes("inotify wd"));
  } catch {
    return false;
  }
}
