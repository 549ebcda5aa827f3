import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { credentialOf, type Ended, type Home, newHome, runWithBrowser } from "../e2e/program.ts";
import { startVendor, type Vendor, type VendorIssuer } from "../issuer/vendors/vendor-issuer.ts";

/** One vendor's issuer and one home of a case, so that cases may run side by side. */
export interface VendorStage {
  readonly issuer: VendorIssuer;
  readonly home: Home;
  /** Options of a session there: a store on disk, no browser, any port. */
  options(...more: string[]): string[];
  /** `get-token`, whose short-lived token is not cached, so that each call asks the issuer. */
  session(...more: string[]): string[];
  /** A login with the browser's part played. */
  logIn(...more: string[]): Promise<Ended & { readonly page: string; readonly url: string }>;
  /** A refresh, or the refusal of one. */
  refresh(...more: string[]): Promise<Ended>;
  /** One more command for the same session. */
  run(command: string, ...more: string[]): Promise<Ended>;
  /** What setup would do for a kubeconfig with one cluster, with the session that there is. */
  setUp(...more: string[]): Promise<Ended>;
  /** What doctor says, by the checks' numbers. */
  doctor(...more: string[]): Promise<Readonly<Record<string, { readonly status: string; readonly detail: string; readonly cure: string | null }>>>;
}

/** Runs a case on a stage of its own. */
export async function onVendor(vendor: Vendor, play: (stage: VendorStage) => Promise<void>): Promise<void> {
  const issuer = await startVendor(vendor);
  const home = newHome();
  const options = (...more: string[]) => [
    `--oidc-issuer-url=${issuer.issuer}`,
    "--oidc-client-id=kubernetes",
    "--token-cache-storage=disk",
    "--listen-address=127.0.0.1:0",
    "--skip-open-browser",
    ...more,
  ];
  const session = (...more: string[]) => ["get-token", ...options("--id-token-cache=none", "-v1", ...more)];
  try {
    await play({
      issuer,
      home,
      options,
      session,
      logIn: (...more) => runWithBrowser(home, session(...more)),
      refresh: (...more) => home.run(session("--non-interactive", ...more)),
      run: (command, ...more) => home.run([command, ...options(...more)]),
      setUp(...more) {
        const kubeconfig = {
          apiVersion: "v1",
          kind: "Config",
          clusters: [{ name: "prod", cluster: { server: "https://127.0.0.1:1" } }],
          contexts: [{ name: "prod", context: { cluster: "prod", user: "" } }],
          "current-context": "prod",
        };
        writeFileSync(join(home.folder, "kubeconfig"), JSON.stringify(kubeconfig));
        return home.run(["setup", "--context=prod", "--dry-run", ...options(...more)]);
      },
      doctor: async (...more) => {
        const { stdout, stderr } = await home.run(["doctor", ...options("-o", "json", ...more)]);
        if (stdout === "") throw new Error(stderr);
        const { checks } = JSON.parse(stdout) as { readonly checks: readonly { id: string; status: string; detail: string; cure: string | null }[] };
        return Object.fromEntries(checks.map((check) => [check.id, check]));
      },
    });
  } finally {
    home.remove();
    await issuer.stop();
  }
}

/** The token that was handed out; throws when there is none. */
export const tokenOf = (ended: Ended): string => credentialOf(ended).status.token;

export const claimsOf = (ended: Ended): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(tokenOf(ended).split(".")[1] ?? "", "base64url").toString()) as Readonly<Record<string, unknown>>;
