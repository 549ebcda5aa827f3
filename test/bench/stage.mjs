import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const program = resolve(import.meta.dirname, "../../dist/kubectl-oidc.cjs");

/** A temporary folder with an empty CommonJS script and any number of homes. */
export function openStage() {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-bench-"));
  const empty = join(folder, "empty.cjs");
  writeFileSync(empty, "");
  return {
    folder,
    empty,
    /** The environment of a new home. NODE_EXTRA_CA_CERTS costs Node 20 some 40 ms at its start: nothing of ours is passed on. */
    home(name) {
      const home = join(folder, name);
      mkdirSync(home, { mode: 0o700 });
      return { PATH: process.env.PATH, HOME: home };
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The arguments of get-token with a device login at this issuer. */
export const getToken = (issuer) => [
  "get-token",
  `--oidc-issuer-url=${issuer.url}`,
  "--oidc-client-id=bench",
  "--grant-type=device-code",
  "--skip-open-browser",
  "--token-cache-storage=disk",
];
