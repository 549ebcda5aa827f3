// What every installed form of the program is asked to do, wherever a package put it.
import { spawn } from "node:child_process";
import { strict as assert } from "node:assert";
import { accessSync, constants, mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
// Built with the tests' other programs (build.mjs).
import { startIssuer } from "../dist-dev/issuer.mjs";
import { release } from "./release.mjs";

const isWindows = process.platform === "win32";

/** Runs a program to its end; `input` is none. Gives its status and what it said. */
export function run(program, args, { env, cwd, deadline = 60_000 } = {}) {
  return new Promise((settle) => {
    // Windows runs a .cmd by its shell only.
    const child = spawn(program, args, { env, cwd, shell: program.endsWith(".cmd"), stdio: ["ignore", "pipe", "pipe"], timeout: deadline, killSignal: "SIGKILL" });
    const said = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"]) {
      child[stream].setEncoding("utf8").on("data", (text) => {
        said[stream] += text;
      });
    }
    child.on("error", (error) => settle({ status: -1, ...said, stderr: String(error) }));
    child.on("close", (status, signal) => settle({ status: status ?? signal, ...said }));
  });
}

/** The same, and it must end with 0. */
export async function ran(program, args, options) {
  const ended = await run(program, args, options);
  if (ended.status !== 0) throw new Error(`${program} ${args.join(" ")}: ${ended.status}\n${ended.stdout.slice(-1500)}${ended.stderr.slice(-1500)}`);
  return ended.stdout;
}

/** The first program of this name on the PATH; undefined when there is none. */
export function findProgram(name, path = process.env.PATH ?? "") {
  const endings = isWindows ? [".exe", ".cmd"] : [""];
  return path
    .split(delimiter)
    .flatMap((folder) => endings.map((ending) => join(folder, `${name}${ending}`)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The environment of a person with an empty home who has `bin` first on the PATH. Nothing of this machine's settings is in it. */
export function personWith(bin, home) {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  // Node is there for those forms that need it, kubectl for all.
  const kubectl = findProgram("kubectl");
  const path = [bin, dirname(process.execPath), "/usr/bin", "/bin", ...(kubectl === undefined ? [] : [dirname(kubectl)])];
  const windows = {
    SystemRoot: process.env.SystemRoot,
    USERPROFILE: home,
    APPDATA: join(home, "AppData/Roaming"),
    LOCALAPPDATA: join(home, "AppData/Local"),
    TEMP: home,
    TMP: home,
  };
  return { PATH: path.join(delimiter), HOME: home, XDG_RUNTIME_DIR: home, KUBECONFIG: join(home, "kubeconfig"), LANG: "C.UTF-8", ...(isWindows ? windows : {}) };
}

/** Checks what is installed in `bin`, under `name`; `form` is what `version` has to say of it. */
export async function tryProgram(tally, name, { bin, home, form }) {
  const env = personWith(bin, home);
  const program = findProgram("kubectl-oidc", bin) ?? join(bin, "kubectl-oidc");
  const completer = findProgram("kubectl_complete-oidc", bin) ?? join(bin, "kubectl_complete-oidc");
  await tally.check(`${name}: kubectl-oidc tells its version and form`, async () => {
    const told = JSON.parse(await ran(program, ["version", "-o", "json"], { env }));
    assert.equal(told.version, release.version);
    assert.equal(told.form, form);
  });
  const kubectl = findProgram("kubectl");
  if (kubectl === undefined) tally.skip(`${name}: kubectl finds it as kubectl oidc, without a kubectl`);
  else {
    await tally.check(`${name}: kubectl finds it as kubectl oidc`, async () => {
      assert.match(await ran(kubectl, ["oidc", "version"], { env }), new RegExp(`^kubectl-oidc ${release.version.replaceAll(".", "\\.")} `));
    });
    await tally.check(`${name}: kubectl completes kubectl oidc with it`, async () => {
      assert.match(await ran(kubectl, ["__complete", "oidc", "get-to"], { env }), /^get-token\b/);
    });
  }
  await tally.check(`${name}: kubectl_complete-oidc completes`, async () => {
    assert.match(await ran(completer, ["get-to"], { env }), /^get-token\b/);
  });
  await tally.check(`${name}: a device login gives a credential, and the second call has it from the cache`, () => tryToken(program, env));
}

async function tryToken(program, env) {
  const issuer = await startIssuer();
  try {
    const args = ["get-token", `--oidc-issuer-url=${issuer.url}`, "--oidc-client-id=bench", "--grant-type=device-code", "--skip-open-browser", "--token-cache-storage=disk"];
    const first = tokenOf(await ran(program, args, { env }));
    const requests = issuer.requests.length;
    assert.ok(requests > 0);
    assert.equal(tokenOf(await ran(program, args, { env })), first);
    assert.equal(issuer.requests.length, requests, "the second call asked the issuer");
  } finally {
    issuer.stop();
  }
}

const tokenOf = (text) => {
  const { token } = JSON.parse(text).status;
  assert.ok(token.split(".").length === 3);
  return token;
};
