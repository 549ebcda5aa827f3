// What an executable runs when it starts, for the layout of its bytecode (docs/adr/0013-standalone.md): recorded of one that is built for this machine, in a
// hit and in a refresh against an issuer of the tests.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = resolve(import.meta.dirname, "..");
/** Milliseconds for one start. */
const deadline = 30_000;

/** Gives the files of the profile, the most frequent way to start first; they stay in `folder`. Throws when the executable does not run here. */
export async function startupProfile(executable, folder) {
  mkdirSync(folder, { recursive: true });
  const issuerFile = join(folder, "issuer.mjs");
  await build({
    entryPoints: [join(root, "test/bench/parts/issuer.ts")],
    outfile: issuerFile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: "warning",
  });
  const { startIssuer } = await import(pathToFileURL(issuerFile).href);
  const issuer = await startIssuer();
  const home = mkdtempSync(join(tmpdir(), "kubectl-oidc-profile-"));
  const getToken = ["get-token", `--oidc-issuer-url=${issuer.url}`, "--oidc-client-id=profile", "--grant-type=device-code", "--skip-open-browser", "--token-cache-storage=disk"];
  const run = (args, more = {}) => ran(executable, args, { ...personIn(home), ...more });
  const recorded = async (name, args) => {
    const file = join(folder, name);
    rmSync(file, { force: true });
    await run(args, { BUN_BYTECODE_ORDER_OUT: file });
    if (statSync(file).size === 0) throw new Error(`nothing was recorded in ${file}`);
    return file;
  };
  try {
    await run(getToken);
    // The first refresh learns what the login could not keep; the call after it is remembered.
    await run([...getToken, "--force-refresh"]);
    await run(getToken);
    return [await recorded("hit", getToken), await recorded("refresh", [...getToken, "--force-refresh"])];
  } finally {
    issuer.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

const personIn = (home) => ({
  PATH: process.env.PATH ?? "",
  HOME: home,
  ...(process.platform === "win32"
    ? { SystemRoot: process.env.SystemRoot ?? "", USERPROFILE: home, APPDATA: join(home, "AppData/Roaming"), LOCALAPPDATA: join(home, "AppData/Local") }
    : {}),
});

/** What it prints holds tokens, of that issuer, and is not kept. */
function ran(executable, args, env) {
  return new Promise((done, failed) => {
    const child = spawn(executable, args, { env, stdio: ["ignore", "ignore", "ignore"], timeout: deadline, killSignal: "SIGKILL" });
    child.on("error", failed);
    child.on("close", (status, signal) => (status === 0 ? done() : failed(new Error(`${args[0]} ended with ${status ?? signal}`))));
  });
}
