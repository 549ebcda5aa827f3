import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * How the desktop's keychain is: unlocked, locked, no service on the bus, a service that never answers, or unlocked beside
 * a second keyring that is locked and holds an item of ours (`itemElsewhere`).
 */
export type ServiceKind = "normal" | "locked" | "absent" | "frozen" | "locked-elsewhere";

/** User name of the item in the second keyring; its value is `stored elsewhere`. */
export const itemElsewhere = "https://elsewhere.example.com#kubernetes";

export interface SecretService {
  /** HOME, XDG_* and DBUS_SESSION_BUS_ADDRESS of the private session. */
  readonly env: Readonly<Record<string, string>>;
  /** Stops the keyring's process where it is, and lets it go on. */
  freeze(): void;
  thaw(): void;
  lock(): void;
  /** Ends the keyring's process, and starts another, which has the same items and is unlocked. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A private session bus with gnome-keyring on it, in a home of its own; nothing of the machine's session is touched. */
export async function startSecretService(kind: ServiceKind): Promise<SecretService> {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-desktop-"));
  for (const name of ["home", "data", "config", "run"]) mkdirSync(join(folder, name), { mode: 0o700 });
  const env: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(folder, "home"),
    XDG_DATA_HOME: join(folder, "data"),
    XDG_CONFIG_HOME: join(folder, "config"),
    XDG_RUNTIME_DIR: join(folder, "run"),
    LANG: "C.UTF-8",
  };
  const children: ChildProcess[] = [];
  const bus = join(folder, "run", "bus");
  // No service directories: nothing starts by activation, so what is on the bus is what this test put there.
  writeFileSync(
    join(folder, "bus.conf"),
    `<busconfig><type>session</type><listen>unix:path=${bus}</listen><auth>EXTERNAL</auth><policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
  );
  const daemon = spawn("dbus-daemon", [`--config-file=${join(folder, "bus.conf")}`, "--nofork", "--print-address"], { env, stdio: ["ignore", "pipe", "ignore"] });
  children.push(daemon);
  await firstOutput(daemon, "dbus-daemon");
  env["DBUS_SESSION_BUS_ADDRESS"] = `unix:path=${bus}`;
  let keyring: ChildProcess | undefined;
  if (kind !== "absent") {
    keyring = await startKeyring(env);
    children.push(keyring);
    if (kind === "locked-elsewhere") {
      execFileSync("secret-tool", ["store", "--label=elsewhere", "service", "kubectl-oidc", "username", itemElsewhere], { env, input: "stored elsewhere" });
      const gone = new Promise((done) => keyring?.once("exit", done));
      keyring.kill("SIGTERM");
      await gone;
      renameSync(join(folder, "data", "keyrings", "login.keyring"), join(folder, "data", "keyrings", "elsewhere.keyring"));
      keyring = await startKeyring(env);
      children.push(keyring);
    }
    if (kind === "locked") lockKeyring(env);
    if (kind === "frozen") keyring.kill("SIGSTOP");
  }
  return {
    env,
    freeze: () => void keyring?.kill("SIGSTOP"),
    thaw: () => void keyring?.kill("SIGCONT"),
    lock: () => lockKeyring(env),
    async restart() {
      const gone = new Promise((done) => keyring?.once("exit", done));
      keyring?.kill("SIGTERM");
      await gone;
      keyring = await startKeyring(env);
      children.push(keyring);
    },
    async stop() {
      const gone = children.map((child) => (child.exitCode !== null || child.signalCode !== null ? undefined : new Promise((done) => child.once("exit", done))));
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(gone);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** gnome-keyring with its login keyring unlocked; made when there is none. */
async function startKeyring(env: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const keyring = spawn("gnome-keyring-daemon", ["--foreground", "--components=secrets", "--unlock"], { env: { ...env }, stdio: ["pipe", "ignore", "ignore"] });
  keyring.stdin.end("password of the test keyring");
  await ownsName(env, "org.freedesktop.secrets");
  return keyring;
}

/** Locks the default keyring, as a screen lock may do. */
function lockKeyring(env: Readonly<Record<string, string>>): void {
  const lock = ["/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login"];
  execFileSync("dbus-send", ["--session", "--print-reply", "--dest=org.freedesktop.secrets", ...lock], { env: { ...env } });
}

function firstOutput(child: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`${name} ended at once`)));
  });
}

/** Waits until the name has an owner; asked of the bus, ten seconds at most. */
async function ownsName(env: Readonly<Record<string, string>>, name: string): Promise<void> {
  const until = Date.now() + 10_000;
  for (;;) {
    const answer = execFileSync(
      "dbus-send",
      ["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner", `string:${name}`],
      { env, encoding: "utf8" },
    );
    if (answer.includes("boolean true")) return;
    if (Date.now() > until) throw new Error(`${name} did not appear on the bus`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
