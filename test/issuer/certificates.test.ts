import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get, createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Certificates, makeCertificates } from "./certificates.ts";

let folder = "";
let certificates: Certificates;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-certificates-"));
  certificates = await makeCertificates(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** "ok", or the code of the TLS error. */
async function handshake(host: string, ca: string | undefined): Promise<string> {
  const server = createServer({ cert: certificates.certPem, key: certificates.keyPem }, (_, answer) => answer.end("hello"));
  await new Promise<void>((done) => server.listen(0, "localhost" === host ? "127.0.0.1" : host, done));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise<string>((done) => {
      const options = {
        host: host === "localhost" ? "127.0.0.1" : host,
        port,
        agent: false,
        timeout: 5_000,
        ...(host === "localhost" ? { servername: "localhost" } : {}),
        ...(ca === undefined ? {} : { ca }),
      };
      get(options, (answer) => answer.resume().on("end", () => done("ok"))).on("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    });
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

describe("the throw-away certificates", () => {
  it.each(["localhost", "127.0.0.1"])("prove a server at %s to whoever has the authority", async (host) => {
    expect(await handshake(host, certificates.caPem)).toBe("ok");
  });

  it("prove nothing to whoever has not", async () => {
    expect(await handshake("localhost", undefined)).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  });

  it("hold for ::1 and for no other host", () => {
    const certificate = new X509Certificate(certificates.certPem);
    expect(certificate.checkIP("::1")).toBeDefined();
    expect(certificate.checkHost("example.com")).toBeUndefined();
    expect(certificate.ca).toBe(false);
  });

  it("are written as a file for programs that take one", () => {
    expect(readFileSync(certificates.caFile, "utf8")).toBe(certificates.caPem);
    expect(new X509Certificate(certificates.caPem).ca).toBe(true);
  });
});
