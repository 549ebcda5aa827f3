import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { kubeconfigFile, kubeconfigText, kubeloginUser, loginElsewhere, type OldLogin, providerUser, writeKubeloginCache, writeUser } from "./migrate-stage.ts";
import { credentialOf, isStandalone, preloaded } from "./program.ts";
import { home, issuer, useStage } from "./stage.ts";

useStage();

const disk = { KUBECTL_OIDC_TOKEN_CACHE_STORAGE: "disk" };
const cache = "home/.kube/cache/oidc-login";

/**
 * Loaded before the program: ends it, as `kill -9` does, before its n-th file comes to its place or goes. It counts to the removal of the
 * note, with which the migration is complete: what follows is a refresh, which has tests of its own.
 */
const killer = `
const fs = require("node:fs");
const at = Number(process.env.KILL_AT);
delete process.env.KILL_AT;
let count = 0, isDone = false;
for (const name of ["renameSync", "unlinkSync"]) {
  const real = fs[name];
  fs[name] = (...paths) => {
    const last = String(paths.at(-1));
    if (!isDone && !/[/]locks[/]|[.]lock$|[.]tmp$/.test(last)) {
      if (++count === at) process.kill(process.pid, "SIGKILL");
      isDone = name === "unlinkSync" && /[/]adopted[/]/.test(last);
    }
    return real(...paths);
  };
}
`;

interface Stanza {
  readonly command: string;
  readonly args: readonly string[];
}
const stanza = () => (parse(kubeconfigText()) as { readonly users: readonly { readonly user: { readonly exec?: Stanza } }[] }).users[0]?.user.exec;
const isOurs = () => stanza()?.command === "kubectl-oidc";
const getToken = async () => credentialOf(await home.run([...(stanza()?.args ?? []), "--non-interactive", "--force-refresh"], disk)).status.token;
/** Files of kubelogin's cache. */
const entries = () => (existsSync(join(home.folder, cache)) ? readdirSync(join(home.folder, cache)).filter((name) => !name.endsWith(".lock")) : []);

/** What the other program does when kubectl runs it: a refresh, for which the issuer gives a new token and ends the old one. */
async function refreshElsewhere(token: string): Promise<OldLogin> {
  const answer = await fetch(`${issuer.url}/token`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: `grant_type=refresh_token&client_id=kubernetes&refresh_token=${token}`,
  });
  expect(answer.status, "the other program's session is lost").toBe(200);
  const tokens = (await answer.json()) as { readonly id_token: string; readonly access_token: string; readonly refresh_token: string };
  return { idToken: tokens.id_token, accessToken: tokens.access_token, refreshToken: tokens.refresh_token };
}

/** Either program is used in the moment in which the migration is cut; gives what it was. */
async function useBetween(kind: "kubelogin" | "auth-provider"): Promise<void> {
  if (isOurs()) {
    await getToken();
    return;
  }
  if (kind === "kubelogin") {
    const file = join(home.folder, cache, entries()[0] ?? "");
    const login = await refreshElsewhere((JSON.parse(readFileSync(file, "utf8")) as { readonly refresh_token: string }).refresh_token);
    writeFileSync(file, JSON.stringify({ id_token: login.idToken, refresh_token: login.refreshToken }), { mode: 0o600 });
    return;
  }
  const [, token = ""] = /refresh-token: (\S+)/.exec(kubeconfigText()) ?? [];
  writeUser(providerUser(await refreshElsewhere(token)));
}

const most = 40;

// A preloaded file cannot change what the executable's modules have imported; the order of writes is that of the same sources.
describe.skipIf(isStandalone).each(["kubelogin", "auth-provider"] as const)("npm program: migrate of a user of %s that is killed between any two files", (kind) => {
  it.each(["nobody uses the session meanwhile", "whoever has the user then uses the session"])(
    "loses nothing and is finished by running it again; %s",
    { timeout: 240_000 },
    async (meanwhile) => {
      home.holdsSecrets(cache);
      const preload = join(home.folder, "killer.cjs");
      writeFileSync(preload, killer);
      const met: string[] = [];
      for (let at = 1; ; at++) {
        expect(at).toBeLessThan(most);
        issuer.live.clear();
        const login = await loginElsewhere();
        if (kind === "kubelogin") writeKubeloginCache(login);
        writeUser(kind === "kubelogin" ? kubeloginUser() : providerUser(login));
        const killed = await home.run(["migrate", "--yes"], { ...disk, ...preloaded(preload), KILL_AT: String(at) });
        if (killed.signal === null) {
          expect(killed.status, killed.stderr).toBe(0);
          break;
        }
        met.push(isOurs() ? "ours" : "theirs");
        if (meanwhile.startsWith("whoever")) await useBetween(kind);
        const again = await home.run(["migrate", "--yes"], disk);
        expect([again.status, at], again.stderr).toEqual([0, at]);
        expect(await getToken(), `killed at ${at}`).toMatch(/^ey/);
        expect(entries()).toEqual([]);
        expect(readdirSync(join(home.data, "adopted")).filter((name) => !name.endsWith(".tmp"))).toEqual([]);
        expect(issuer.live.size).toBe(1);
        // From the start: nobody is logged in, and nothing was kept.
        for (const place of [home.data, `${kubeconfigFile()}.before-kubectl-oidc`]) rmSync(place, { recursive: true });
      }
      expect(met).toContain("ours");
      expect(met).toContain("theirs");
      expect(issuer.count("/authorize")).toBe(0);
    },
  );
});
