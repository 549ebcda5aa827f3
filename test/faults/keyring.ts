import { type ChildProcess, execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import { type SecretService, startSecretService } from "../desktop/secret-service.ts";

/** What befalls the keyring while the issuer commits: it was read before, and the write meets this. */
export const keyringFaults = ["lock", "freeze", "crash"] as const;
export type KeyringFault = (typeof keyringFaults)[number];

export const keyringPrograms = ["dbus-daemon", "gnome-keyring-daemon", "dbus-send"] as const;

export interface Keyring {
  readonly env: Readonly<Record<string, string>>;
  fail(how: KeyringFault): Promise<void>;
  /** Thaws it, or starts it anew, unlocked. What it kept is still there. */
  cure(): Promise<void>;
  /** Has its program ended, though it was not told to? */
  hasEnded(): boolean;
  stop(): Promise<void>;
}

const isGone = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;
const run = promisify(execFile);

/** A private bus with a gnome-keyring of its own that can be locked, frozen, killed and cured. */
export async function startKeyring(): Promise<Keyring> {
  const service: SecretService = await startSecretService("absent");
  const env = { ...service.env };
  const address = { DBUS_SESSION_BUS_ADDRESS: env["DBUS_SESSION_BUS_ADDRESS"] ?? "" };
  const send = (...args: readonly string[]) => run("dbus-send", ["--session", "--print-reply", ...args], { env });
  const state: { daemon: ChildProcess; fault?: KeyringFault | undefined } = { daemon: await startDaemon() };

  async function startDaemon(): Promise<ChildProcess> {
    const daemon = spawn("gnome-keyring-daemon", ["--foreground", "--components=secrets", "--unlock"], { env, stdio: ["pipe", "ignore", "ignore"] });
    daemon.stdin.end("password of the test keyring");
    for (const until = Date.now() + 10_000; Date.now() < until; await new Promise((done) => setTimeout(done, 20))) {
      const { stdout } = await send("--dest=org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets");
      if (stdout.includes("boolean true")) return daemon;
    }
    throw new Error("gnome-keyring did not appear on its bus");
  }

  async function end(daemon: ChildProcess): Promise<void> {
    const gone = new Promise((done) => daemon.once("exit", done));
    daemon.kill("SIGKILL");
    await gone;
  }

  return {
    env: address,
    async fail(how) {
      state.fault = how;
      if (how === "freeze") state.daemon.kill("SIGSTOP");
      else if (how === "crash") await end(state.daemon);
      else
        await send("--dest=org.freedesktop.secrets", "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login");
    },
    async cure() {
      const { fault, daemon } = state;
      state.fault = undefined;
      if (fault === "freeze") daemon.kill("SIGCONT");
      if (fault === "lock") await end(daemon);
      if (fault === "lock" || fault === "crash") state.daemon = await startDaemon();
    },
    hasEnded: () => state.fault === undefined && isGone(state.daemon),
    async stop() {
      if (!isGone(state.daemon)) await end(state.daemon);
      await service.stop();
    },
  };
}
