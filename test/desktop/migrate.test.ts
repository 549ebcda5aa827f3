import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { credentialOf, errorCode, type Home, newHome } from "../e2e/program.ts";
import { type ScriptedIssuer, startScriptedIssuer } from "../issuer/scripted-issuer.ts";
import { hasProgram } from "../programs.ts";
import { type SecretService, startSecretService } from "./secret-service.ts";

const missing = ["dbus-daemon", "gnome-keyring-daemon", "dbus-send"].filter((name) => !hasProgram(name));

describe.skipIf(missing.length > 0).each(["normal", "locked"] as const)(
  `migrate with a %s gnome-keyring${missing.length === 0 ? "" : ` (needs ${missing.join(", ")})`}`,
  (kind) => {
    let home: Home;
    let issuer: ScriptedIssuer;
    let service: SecretService;
    beforeAll(async () => {
      home = newHome();
      issuer = await startScriptedIssuer();
      service = await startSecretService(kind);
    });
    afterAll(async () => {
      home.remove();
      await issuer.stop();
      await service.stop();
    });

    it(kind === "normal" ? "moves the refresh token of kubelogin's cache into the keyring" : "changes nothing, and says why", async () => {
      home.holdsSecrets("home/.kube/cache/oidc-login");
      const bus = { DBUS_SESSION_BUS_ADDRESS: service.env["DBUS_SESSION_BUS_ADDRESS"] ?? "" };
      const form = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "grant_type=password&client_id=kubernetes" };
      const login = (await (await fetch(`${issuer.url}/token`, form)).json()) as { readonly id_token: string; readonly refresh_token: string };
      const folder = join(home.folder, "home", ".kube", "cache", "oidc-login");
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const old = join(folder, "0".repeat(64));
      writeFileSync(old, JSON.stringify({ id_token: login.id_token, refresh_token: login.refresh_token }), { mode: 0o600 });
      const file = join(home.folder, "kubeconfig");
      const args = ["get-token", `--oidc-issuer-url=${issuer.url}`, "--oidc-client-id=kubernetes"];
      const exec = { apiVersion: "client.authentication.k8s.io/v1beta1", command: "kubelogin", args };
      writeFileSync(file, JSON.stringify({ users: [{ name: "ann", user: { exec } }] }));
      const before = readFileSync(file, "utf8");
      const ended = await home.run(["migrate", "--yes"], bus);
      if (kind === "locked") {
        expect([ended.status, errorCode(ended)]).toEqual([50, "KEYCHAIN_LOCKED"]);
        expect([readFileSync(file, "utf8"), existsSync(old)]).toEqual([before, true]);
        return;
      }
      expect(ended.status, ended.stderr).toBe(0);
      expect(ended.stderr).toContain("the refresh token rests in the OS keychain now, and works");
      expect(existsSync(old)).toBe(false);
      const stored = execFileSync("secret-tool", ["lookup", "service", "kubectl-oidc", "username", `${issuer.url}#kubernetes`], { env: { ...service.env }, encoding: "utf8" });
      expect(stored).toContain([...issuer.live][0]);
      expect(credentialOf(await home.run([...args, "--force-refresh", "--non-interactive"], bus)).status.token).toMatch(/^ey/);
      expect(issuer.count("/authorize")).toBe(0);
    });
  },
);
