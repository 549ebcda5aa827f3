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
  const bare = newHome();
  const issuer = await startVendor(vendor, bare.folder);
  const home: Home = {
    ...bare,
    start: (args, more, ...rest) => bare.start(args, { ...issuer.env, ...more }, ...rest),
    run: (args, more, ...rest) => bare.run(args, { ...issuer.env, ...more }, ...rest),
  };
  const options = (...more: string[]) => [
    `--oidc-issuer-url=${issuer.issuer}`,
    "--oidc-client-id=kubernetes",
    "--token-cache-storage=disk",
    "--listen-address=127.0.0.1:0",
    "--skip-open-browser",
    ...issuer.options,
    ...more,
  ];
  const session = (...more: string[]) => ["get-token", ...options("--id-token-cache=none", "-v1", ...more)];
  try {
    await play({
      issuer,
      home,
      options,
      session,
      logIn: (...more) => runWithBrowser(home, session(...more), undefined, issuer.visit),
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

/** A file with the client secret of a desktop client: the option that names it. */
export function secretFile({ home }: VendorStage): string {
  const file = join(home.folder, "google-secret");
  home.holdsSecrets("google-secret");
  writeFileSync(file, `${desktopSecret}\n`, { mode: 0o600 });
  return `--oidc-client-secret-file=${file}`;
}
export const desktopSecret = "GOCSPX-of-a-desktop-client";

/** At which host what was asked for, the pages that were visited included. */
export function routesByHost({ requests }: VendorIssuer): Readonly<Record<string, readonly string[]>> {
  const hosts = [...new Set(requests.map(({ headers }) => headers.host ?? ""))].sort();
  return Object.fromEntries(hosts.map((host) => [host, [...new Set(requests.filter(({ headers }) => headers.host === host).map(({ route }) => route))].sort()]));
}

/** The hosts that were told a secret: a code, its verifier, a token, the client's, anything in `authorization`. */
export function confidants({ requests, secrets }: VendorIssuer): readonly string[] {
  const all = [desktopSecret, ...secrets, ...requests.flatMap(({ form }) => form.get("code_verifier") ?? [])];
  const told = requests.filter(({ path, query, body, headers }) => {
    const said = [path, String(query), body, JSON.stringify(headers)].join("\n");
    return headers.authorization !== undefined || all.some((secret) => said.includes(secret));
  });
  return [...new Set(told.map(({ headers }) => headers.host ?? ""))];
}

/** The token that was handed out; throws when there is none. */
export const tokenOf = (ended: Ended): string => credentialOf(ended).status.token;

export const claimsOf = (ended: Ended): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(tokenOf(ended).split(".")[1] ?? "", "base64url").toString()) as Readonly<Record<string, unknown>>;
