import { afterEach, beforeEach } from "vitest";
import { type ScriptedIssuer, startScriptedIssuer } from "../issuer/scripted-issuer.ts";
import { type Home, newHome } from "./program.ts";

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
