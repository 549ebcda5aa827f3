import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { isObject } from "../core/session.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { SecretStore } from "../ports.ts";
import { childEnvironment } from "./child-environment.ts";

/** A helper's answer is one small JSON object. Characters. */
const longestAnswer = 1_048_576;

/**
 * `--token-cache-storage=helper:NAME`: the docker credential helper protocol (docker-credential-helpers, README): the
 * program docker-credential-NAME with `store`, `get`, `erase`; the secret goes by stdin and stdout.
 * KEYCHAIN_UNAVAILABLE (missing program, its faults), KEYCHAIN_TIMED_OUT.
 */
export function credentialHelperStore(name: string, { deadlineMs }: { readonly deadlineMs: number }): SecretStore {
  const program = `docker-credential-${name}`;
  const call = (verb: "store" | "get" | "erase", input: string) => run(program, verb, input, deadlineMs);
  const failed = (verb: string, reason: string): never =>
    fail("KEYCHAIN_UNAVAILABLE", {
      message: `${program} cannot ${verb} the session`,
      reason,
      hint: `run: ${program} list, and cure what it says; or choose another --token-cache-storage`,
    });
  const store: SecretStore = {
    kind: `helper:${name}`,
    keeps: true,
    describe: () => program,
    async probe() {
      const item = "kubectl-oidc-probe";
      await store.write(item, "probe");
      if ((await store.read(item)) !== "probe") failed("give back", "it does not give back what was written");
      await store.remove(item);
    },
    async read(item) {
      const { status, out } = await call("get", serverUrl(item));
      if (status !== 0) return isNotFound(out) ? undefined : failed("read", faultText(out));
      const value = parse(out);
      if (value === undefined) return failed("read", "its answer is not a credential");
      // Some helpers answer "not found" with an empty credential.
      return value.Secret === "" ? undefined : value.Secret;
    },
    async write(item, value) {
      const { status } = await call("store", JSON.stringify({ ServerURL: serverUrl(item), Username: item, Secret: value }));
      // What it says is not repeated: it was given the secret.
      if (status !== 0) failed("store", `it ended with status ${status}`);
    },
    async remove(item) {
      const { status, out } = await call("erase", serverUrl(item));
      if (status !== 0 && !isNotFound(out)) failed("erase", faultText(out));
    },
  };
  return store;
}

/** The name under which helpers keep it (cli.md M3): a URL, since some take nothing else. */
export function serverUrl(item: string): string {
  return `https://kubectl-oidc.invalid/${encodeURIComponent(item)}`;
}

/** "credentials not found in native keychain" is the protocol's text; others have their own. */
const isNotFound = (out: string) => /not found|no such|does(n't| not) exist|not in the password store/i.test(out);

const faultText = (out: string) => safeText(out.split("\n")[0], 120) || "it said nothing";

function parse(out: string): { readonly Secret: string } | undefined {
  try {
    const value: unknown = JSON.parse(out);
    return isObject(value) && typeof value["Secret"] === "string" ? { Secret: value["Secret"] } : undefined;
  } catch {
    return undefined;
  }
}

/** The program on PATH; only absolute folders count, so that a working directory cannot plant one. */
function find(program: string): string | undefined {
  const endings = process.platform === "win32" ? [".exe"] : [""];
  for (const folder of (process.env["PATH"] ?? "").split(delimiter).filter(isAbsolute)) {
    for (const ending of endings) {
      const path = join(folder, `${program}${ending}`);
      try {
        accessSync(path, constants.X_OK);
        if (statSync(path).isFile()) return path;
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

function run(program: string, verb: string, input: string, deadlineMs: number): Promise<{ readonly status: number | null; readonly out: string }> {
  const path = find(program);
  if (path === undefined) fail("KEYCHAIN_UNAVAILABLE", { message: `${program} is not on the PATH`, hint: `install ${program}, or choose another --token-cache-storage` });
  return new Promise((resolve, reject) => {
    const child = spawn(path, [verb], { stdio: ["pipe", "pipe", "ignore"], detached: process.platform !== "win32", windowsHide: true, env: childEnvironment(process.env) });
    const settle = (action: () => void) => {
      clearTimeout(timer);
      endGroup(child);
      action();
    };
    const failWith = (code: "KEYCHAIN_TIMED_OUT" | "KEYCHAIN_UNAVAILABLE", message: string) =>
      settle(() => {
        try {
          fail(code, { message });
        } catch (error) {
          reject(error);
        }
      });
    const timer = setTimeout(() => failWith("KEYCHAIN_TIMED_OUT", `${program} did not answer in ${deadlineMs / 1000} s`), deadlineMs);
    let out = "";
    child.on("error", () => failWith("KEYCHAIN_UNAVAILABLE", `${program} cannot be started`));
    child.stdin?.on("error", () => undefined);
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      out += chunk;
      if (out.length > longestAnswer) failWith("KEYCHAIN_UNAVAILABLE", `${program} said too much`);
    });
    child.on("close", (status) => settle(() => resolve({ status, out })));
    child.stdin?.end(input);
  });
}

/** The helper and what it started (gpg, pinentry): they hold no pipe of ours and do not outlive the deadline. */
function endGroup(child: ChildProcess): void {
  child.removeAllListeners();
  child.on("error", () => undefined);
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill();
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
