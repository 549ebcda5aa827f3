import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { noteSecret, secretsIn } from "../../canaries.ts";
import { type Ended, type Home, newHome, openUrl, type Started } from "../../e2e/program.ts";
import { clickThrough, type Visited } from "../../issuer/scripted-browser.ts";
import type { RealIssuer, Somebody } from "./real-issuer.ts";

/** A person's machine: the built program with a home of its own, its store on disk, and a browser that a program plays. */
export interface Caller {
  readonly home: Home;
  /** Of a session at this issuer. */
  options(...more: readonly string[]): readonly string[];
  run(command: string, ...more: readonly string[]): Promise<Ended>;
  /** `get-token`, which opens the browser: the person logs in by the issuer's own form. */
  logIn(person?: Somebody, ...more: readonly string[]): Promise<Ended & { readonly page: Visited }>;
  /** `login`, whatever is stored. */
  logInAnew(): Promise<Ended & { readonly page: Visited }>;
  /** As `logIn`, with a person who says no where they are asked. */
  deny(person: Somebody, ...more: readonly string[]): Promise<Ended>;
  /** As `logIn`, of a call that opens the browser a second time: what it asked for first was refused. */
  logInTwice(person: Somebody): Promise<Ended>;
  /** `login` by a code that the person enters elsewhere. `deny`: they say no there. */
  logInByCode(person?: Somebody, deny?: boolean): Promise<Ended & { readonly page: Visited }>;
  /** `get-token` of a machine on which nobody can log in; the cached token is not good enough. */
  refresh(): Promise<Ended>;
  /** What lies in the store now: for a backup, or a thief. */
  copyStore(): string;
  putBack(copy: string): void;
  /** The short-lived token is used up. */
  ageToken(): void;
  /** The refresh token in the store. */
  refreshToken(): string;
  remove(): void;
}

export function newCaller(issuer: RealIssuer, ...always: readonly string[]): Caller {
  const home = newHome();
  const caFile = join(home.folder, "issuer-ca.pem");
  writeFileSync(caFile, issuer.certificates.caPem);
  const options = (...more: readonly string[]) => [
    `--oidc-issuer-url=${issuer.issuer}`,
    `--oidc-client-id=${issuer.clientId}`,
    `--certificate-authority=${caFile}`,
    "--token-cache-storage=disk",
    `--listen-address=127.0.0.1:${issuer.ports[0]},127.0.0.1:${issuer.ports[1]}`,
    ...always,
    ...more,
  ];

  /** The issuer is not ours and notes nothing: what lies in the store now is looked for from now on, in what was just said too. */
  async function watched({ ended }: Started): Promise<Ended> {
    const all = await ended;
    for (const [place, kind, member] of [
      ["credentials", "token", "token"],
      ["refresh", "refresh token", "refreshToken"],
    ] as const) {
      for (const text of filesOf(join(home.data, place))) noteSecret(kind, new RegExp(`"${member}\\\\?":\\\\?"([^"\\\\]+)`).exec(text)?.[1]);
    }
    const said = secretsIn(all.stderr);
    if (said.length > 0) throw new Error(`stderr holds a ${said.join(", a ")}`);
    return all;
  }

  const browser = (person: Somebody, deny = false) => ({ ca: issuer.certificates.caPem, ...person, origins: issuer.pages, deny });

  async function played(started: Started, pattern: RegExp, person: Somebody, deny?: boolean): Promise<Ended & { readonly page: Visited }> {
    const [, url = ""] = await started.sees(pattern);
    const page = await clickThrough(url, browser(person, deny));
    return { ...(await watched(started)), page };
  }

  const refreshFile = () => join(home.data, "refresh", readdirSync(join(home.data, "refresh")).find((name) => !name.startsWith(".")) ?? "");

  return {
    home,
    options,
    run: (command, ...more) => watched(home.start([command, ...options(...more)])),
    logIn: (person = issuer.alice, ...more) => played(home.start(["get-token", ...options("--skip-open-browser", ...more)]), openUrl, person),
    logInAnew: () => played(home.start(["login", ...options("--skip-open-browser")]), openUrl, issuer.alice),
    deny: (person, ...more) => played(home.start(["get-token", ...options("--skip-open-browser", ...more)]), openUrl, person, true),
    async logInTwice(person) {
      const started = home.start(["get-token", ...options("--skip-open-browser")]);
      const [, first = ""] = await started.sees(openUrl);
      await clickThrough(first, browser(person));
      const [, second = ""] = await started.sees(/without it[\s\S]*open this URL in your browser: (\S+)/);
      await clickThrough(second, browser(person));
      return watched(started);
    },
    logInByCode: (person = issuer.alice, deny = false) =>
      played(home.start(["login", ...options("--grant-type=device-code", "--skip-open-browser")]), /or open (\S+user_code=\S+)/, person, deny),
    refresh: () => watched(home.start(["get-token", ...options("--force-refresh", "--non-interactive")])),
    copyStore() {
      const copy = mkdtempSync(join(home.folder, "copy-"));
      cpSync(home.data, copy, { recursive: true });
      home.holdsSecrets(copy.slice(home.folder.length + 1));
      return copy;
    },
    putBack(copy) {
      rmSync(home.data, { recursive: true, force: true });
      cpSync(copy, home.data, { recursive: true });
    },
    ageToken() {
      const folder = join(home.data, "credentials");
      for (const name of readdirSync(folder)) {
        const file = join(folder, name);
        const now = Date.now() / 1000;
        writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), receivedAt: now - 299, expiresAt: now + 1 }), { mode: 0o600 });
      }
    },
    refreshToken: () => /"refreshToken\\?":\\?"([^"\\]+)/.exec(readFileSync(refreshFile(), "utf8"))?.[1] ?? "none",
    remove: () => home.remove(),
  };
}

const filesOf = (folder: string) => (existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8")) : []);

/** The claims of a token, unchecked: the program has checked them. */
export const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Readonly<Record<string, unknown>>;
