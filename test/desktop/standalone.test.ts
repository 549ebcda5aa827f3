import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isStandalone, newHome, runWithBrowser } from "../e2e/program.ts";
import { startScriptedIssuer } from "../issuer/scripted-issuer.ts";
import { hasProgram } from "../programs.ts";
import { startSecretService } from "./secret-service.ts";

const missing = ["dbus-daemon", "gnome-keyring-daemon"].filter((name) => !hasProgram(name));
const why = !isStandalone ? " (skipped: TEST_PROGRAM names none)" : missing.length > 0 ? ` (skipped: ${missing.join(", ")} not there)` : "";

describe.skipIf(why !== "")(`the keychain addon of the standalone executable${why}`, () => {
  it("is loaded from memory: nothing is left in, or read from, the temporary folder", async () => {
    const home = newHome();
    const issuer = await startScriptedIssuer();
    const service = await startSecretService("normal");
    try {
      const temporary = join(home.folder, "tmp");
      mkdirSync(temporary);
      const env = { DBUS_SESSION_BUS_ADDRESS: service.env["DBUS_SESSION_BUS_ADDRESS"] ?? "", TMPDIR: temporary, BUN_TMPDIR: temporary };
      const args = ["get-token", `--oidc-issuer-url=${issuer.url}`, "--oidc-client-id=kubernetes", "--listen-address=127.0.0.1:0", "--skip-open-browser"];
      const login = await runWithBrowser(home, args, env);
      expect(login, login.stderr).toMatchObject({ status: 0 });
      expect(login.stderr).not.toContain("KEYCHAIN");
      // A temporary folder that is not there: whatever needs one fails.
      const refreshed = await home.run([...args, "--force-refresh"], { ...env, TMPDIR: "/nonexistent", BUN_TMPDIR: "/nonexistent" });
      expect([refreshed.status, refreshed.stderr]).toEqual([0, ""]);
      expect(readdirSync(temporary)).toEqual([]);
    } finally {
      await service.stop();
      await issuer.stop();
      home.remove();
    }
  });
});
