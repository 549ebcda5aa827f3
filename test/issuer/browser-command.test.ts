import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { accounts } from "./accounts.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { listenOnLocalhost, type LocalServer } from "./listen-on-localhost.ts";
import { type RunningProvider, startProvider } from "./provider.ts";

let folder = "";
let program = "";
let certificates: Certificates;
let provider: RunningProvider;
let callback: LocalServer;
let log = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-browser-"));
  program = join(folder, "browser-command.mjs");
  certificates = await makeCertificates(folder);
  // As build.mjs does it; here, so that this test needs no build before it.
  await build({
    entryPoints: [join(import.meta.dirname, "browser-command.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    logLevel: "error",
  });
  provider = await startProvider({ certificates });
  callback = await listenOnLocalhost((request, response) => {
    const denied = new URL(request.url ?? "", "http://localhost").searchParams.get("error");
    response.writeHead(denied === null ? 200 : 403, { "content-type": "text/html" }).end(`<title>${denied ?? "Logged in &amp; done"}</title>`);
  });
});
afterAll(async () => {
  await Promise.all([provider.stop(), callback.stop()]);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(({ task }) => {
  log = join(folder, `${task.id}.log`);
});

/** Runs the program on an authorization URL; its exit status and what it wrote on stdout and stderr together. */
async function run(environment: Record<string, string>): Promise<{ status: number | null; output: string }> {
  const url = new URL(`${provider.issuer}/auth`);
  const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
  for (const [name, value] of Object.entries({
    client_id: "kubernetes",
    response_type: "code",
    scope: "openid",
    redirect_uri: callback.origin,
    code_challenge: challenge,
    code_challenge_method: "S256",
  }))
    url.searchParams.set(name, value);
  const child = spawn(process.execPath, [program, url.href], { env: { ...environment, DEMO_BROWSER_LOG: log }, stdio: ["ignore", "pipe", "pipe"], timeout: 20_000 });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, output };
}

describe("the browser command", () => {
  it("logs the person in, says nothing and writes down the page it ended on", async () => {
    const person = { DEMO_CA_FILE: certificates.caFile, DEMO_ACCOUNT: "bob", DEMO_PASSWORD: accounts.bob.password };
    expect(await run(person)).toEqual({ status: 0, output: "" });
    expect(readFileSync(log, "utf8")).toBe("200 Logged in & done\n");
  });

  it("ends with status 1 when the person says no", async () => {
    const person = { DEMO_CA_FILE: certificates.caFile, DEMO_ACCOUNT: "bob", DEMO_PASSWORD: accounts.bob.password, DEMO_DENY: "1" };
    expect(await run(person)).toEqual({ status: 1, output: "" });
    expect(readFileSync(log, "utf8")).toBe("403 access_denied\n");
  });

  it("trusts no issuer without its authority", async () => {
    expect(await run({ DEMO_ACCOUNT: "bob", DEMO_PASSWORD: accounts.bob.password })).toEqual({ status: 1, output: "" });
    expect(readFileSync(log, "utf8")).toMatch(/^failed unable to verify the first certificate/);
  });
});
