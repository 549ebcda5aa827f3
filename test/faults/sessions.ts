import { rmSync } from "node:fs";
import { join } from "node:path";
import { type HelperFault, writeHelper } from "./helper.ts";
import { type Home, newHome, type Program } from "./home.ts";
import { type Keyring, startKeyring } from "./keyring.ts";
import type { Storage } from "./rounds.ts";

/** A home that is logged in. */
export interface Session {
  readonly home: Home;
  readonly keyring: Keyring | undefined;
  failHelper(how: HelperFault | undefined): void;
}

export interface Sessions {
  /** That of the rounds before, while it lives; else a new one. */
  of(storage: Storage): Promise<Session>;
  /** It is lost, or nobody knows what it is. */
  forget(storage: Storage): Promise<void>;
  /** Starts the next session with a keyring of its own. */
  forgetKeyring(): Promise<void>;
  stop(): Promise<void>;
}

/** The options of `get-token` in a storage. */
export const getToken = (issuerUrl: string, storage: Storage, ...more: readonly string[]) => [
  "get-token",
  `--oidc-issuer-url=${issuerUrl}`,
  "--oidc-client-id=kubernetes",
  `--token-cache-storage=${storage === "helper" ? "helper:faults" : storage}`,
  "--listen-address=127.0.0.1:0",
  "--skip-open-browser",
  ...more,
];

/** One session for each storage at that issuer, made when it is asked for: a login costs a second, a round a third of one. */
export function sessionsAt(issuerUrl: string, program: Program, folder: string, isBound: boolean): Sessions {
  const open = new Map<Storage, Session>();
  const state: { keyring?: Keyring | undefined; homes: number } = { homes: 0 };

  async function logIn(storage: Storage): Promise<Session> {
    const inside = join(folder, `${storage}-${++state.homes}`);
    const helper = storage === "helper" ? writeHelper(`${inside}.vault`) : undefined;
    if (storage === "keyring") state.keyring ??= await startKeyring();
    const keyring = storage === "keyring" ? state.keyring : undefined;
    const home = newHome(program, inside, { ...keyring?.env, ...(helper === undefined ? {} : { PATH: `${helper.folder}:${process.env["PATH"]}` }) });
    await logInByBrowser(home, getToken(issuerUrl, storage, `--dpop=${isBound ? "always" : "never"}`));
    return { home, keyring, failHelper: (how) => helper?.fail(how) };
  }

  async function forget(storage: Storage): Promise<void> {
    const session = open.get(storage);
    open.delete(storage);
    session?.home.remove();
    if (session !== undefined) rmSync(`${session.home.folder}.vault`, { recursive: true, force: true });
  }

  async function forgetKeyring(): Promise<void> {
    await forget("keyring");
    await state.keyring?.stop();
    state.keyring = undefined;
  }

  return {
    async of(storage) {
      const session = open.get(storage) ?? (await logIn(storage));
      open.set(storage, session);
      return session;
    },
    forget,
    forgetKeyring,
    async stop() {
      for (const storage of [...open.keys()]) await forget(storage);
      await forgetKeyring();
    },
  };
}

/** Runs a call that logs in, and plays its browser. */
export async function logInByBrowser(home: Home, args: readonly string[]): Promise<void> {
  const started = home.start(args);
  const url = (await started.sees(/open this URL in your browser: (\S+)/))?.[1];
  if (url !== undefined) await browse(url);
  const { status, stderr } = await started.ended;
  if (status !== 0 || stderr.includes("warning:")) throw new Error(`the login ended with ${status}: ${stderr.trim().split("\n").at(-1)}`);
}

/** The issuer redirects at once; our listener shows its page. */
export async function browse(url: string): Promise<void> {
  const location = (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
  await (await fetch(location)).text();
}
