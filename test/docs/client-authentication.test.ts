import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientMetadata } from "oidc-provider";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cluster, mutualTls } from "../e2e/client-proof-stage.ts";
import { programPath } from "../e2e/program.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";
import { type RunningProvider, startProvider } from "../issuer/provider.ts";
import { hasProgram } from "../programs.ts";
import { blockOf, blocksOf } from "./fenced-blocks.ts";

const page = "client-authentication.md";
const missing = ["bash", "openssl", "jq", "kubectl"].filter((name) => !hasProgram(name));

let folder: string;
let certificates: Certificates;
let provider: RunningProvider | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-docs-"));
  certificates = await makeCertificates(folder);
  for (const name of ["bin", "home"]) mkdirSync(join(folder, name));
  symlinkSync(programPath, join(folder, "bin", "kubectl-oidc"));
});
afterAll(async () => {
  await provider?.stop();
  rmSync(folder, { recursive: true });
});

/** A block of the page, with the test's issuer in the place of the example's. */
async function run(name: string): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }> {
  const script = blockOf(page, name)
    .replaceAll("https://id.example.com", provider?.issuer ?? "")
    .replace("--oidc-audience=kubernetes", `--oidc-audience=${cluster}`);
  const env = {
    PATH: `${join(folder, "bin")}:${process.env["PATH"]}`,
    HOME: join(folder, "home"),
    NODE_EXTRA_CA_CERTS: certificates.caFile,
    KUBECTL_OIDC_TOKEN_CACHE_STORAGE: "disk",
  };
  const child = spawn("bash", ["-euo", "pipefail", "-c", script], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (chunk: string) => {
      said[stream] += chunk;
    });
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), 30_000);
  const status = await new Promise<number | null>((done) => child.on("close", done));
  clearTimeout(timer);
  return { status, ...said };
}

it("every block of the page is run", () => {
  expect(blocksOf(page).map(({ name }) => name)).toEqual(["key", "key-token", "certificate", "certificate-token"]);
});

describe.skipIf(missing.length > 0)(`docs/how-to/${page}${missing.length > 0 ? ` (not on the PATH: ${missing.join(", ")})` : ""}`, { timeout: 90_000 }, () => {
  it("the key and the certificate that it makes are those that the issuer knows the clients by", async () => {
    for (const name of ["key", "certificate"]) {
      const made = await run(name);
      expect(made.status, made.stderr).toBe(0);
    }
    for (const name of ["client-key.pem", "client-tls.key"]) expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0);
    const certificate = new X509Certificate(readFileSync(join(folder, "client-tls.pem")));
    const machine = { redirect_uris: [], response_types: [], grant_types: ["client_credentials"] };
    const keys: unknown = JSON.parse(readFileSync(join(folder, "client-keys.json"), "utf8"));
    const clients = [
      { ...machine, client_id: "pipeline", token_endpoint_auth_method: "private_key_jwt", jwks: keys },
      {
        ...machine,
        client_id: "pipeline-tls",
        token_endpoint_auth_method: "self_signed_tls_client_auth",
        jwks: { keys: [{ ...certificate.publicKey.export({ format: "jwk" }), x5c: [certificate.raw.toString("base64")] }] },
      },
    ] as unknown as readonly ClientMetadata[];
    provider = await startProvider({
      certificates: { ...certificates, clientCaPem: certificates.caPem },
      clients,
      features: { mTLS: mutualTls },
      extraConfig: { clientAuthMethods: ["private_key_jwt", "self_signed_tls_client_auth"] },
    });
    for (const name of ["key-token", "certificate-token"])
      expect(await run(name)).toEqual({ status: 0, stdout: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}Z\n$/), stderr: "" });
    expect(provider.requests.filter(({ route }) => route === "token").map(({ parameters }) => parameters.includes("client_assertion"))).toEqual([true, false]);
  });
});
