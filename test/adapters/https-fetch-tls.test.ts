import dns from "node:dns";
import { writeFileSync } from "node:fs";
import * as https from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { type OddAuthority, oddAuthority } from "../issuer/odd-certificates.ts";
import { fetchWith, get, hello, listen, plain, stage, useStage } from "./fetch-stage.ts";

useStage();
let ours: OddAuthority;
let other: OddAuthority;
let narrow: OddAuthority;
beforeAll(async () => {
  [ours, other, narrow] = await Promise.all([oddAuthority(), oddAuthority({ name: "another authority" }), oddAuthority({ permitted: "corp.example" })]);
});

const hasIPv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === "::1"));
const serve = (options: https.ServerOptions) => listen(https.createServer(options, hello).on("tlsClientError", () => undefined));
const ask = (port: number, ...authorities: readonly OddAuthority[]) => get(`https://localhost:${port}/`, { caData: authorities.map(({ pem }) => pem) });

describe("a certificate is not taken", () => {
  it.each<[string, () => Promise<https.ServerOptions>, string, string]>([
    ["for another name", () => ours.issue({ names: ["id.example.com"] }), "another name", "--oidc-issuer-url"],
    ["for a name that only begins like ours", () => ours.issue({ names: ["localhost.example.com"] }), "another name", "--oidc-issuer-url"],
    ["for a name with NUL in it", () => ours.issue({ names: ["localhost\u0000.example.com"] }), "another name", "--oidc-issuer-url"],
    ["with our name as its common name only", () => ours.issue({ names: ["id.example.com"], commonName: "localhost" }), "another name", "--oidc-issuer-url"],
    ["that has expired", () => ours.issue({ from: -2, to: -1 }), "expired", "clock"],
    ["that is not valid yet", () => ours.issue({ from: 1 }), "not valid yet", "clock"],
    ["that is self-signed", () => ours.issue({ selfSigned: true }), "self-signed", "--certificate-authority"],
    ["of an authority that nobody knows", () => other.issue(), "not known here", "--certificate-authority"],
    ["of an authority that only has our authority's name", async () => (await oddAuthority()).issue(), "does not fit", "--certificate-authority"],
  ])("%s [NW-07]", async (_, make, reason, hint) => {
    const port = await serve(await make());
    await expect(ask(port, ours)).rejects.toMatchObject({
      code: "ISSUER_TLS_UNTRUSTED",
      exitStatus: 30,
      reason: expect.stringContaining(reason),
      hint: expect.stringContaining(hint),
    });
  });
  it("that its authority may not give (name constraint) [NW-07]", async () => {
    const port = await serve(await narrow.issue());
    await expect(ask(port, narrow)).rejects.toMatchObject({
      code: "ISSUER_TLS_UNTRUSTED",
      reason: expect.stringContaining("permitted subtree"),
      hint: expect.stringContaining("authority"),
    });
  });
  it("but with the right authority, and then only [NW-07]", async () => {
    const port = await serve(await ours.issue());
    expect((await ask(port, ours)).status).toBe(200);
    await expect(ask(port, other)).rejects.toMatchObject({ code: "ISSUER_TLS_UNTRUSTED" });
    await expect(ask(port)).rejects.toMatchObject({ code: "ISSUER_TLS_UNTRUSTED" });
  });
  it("and nothing of its own words is shown, control characters or not [NW-07]", async () => {
    const words = "owned\u001b]0;title\u0007\nkubectl-oidc: hint: run evil";
    const port = await serve(await ours.issue({ names: [`x${words}`], commonName: words, from: -2, to: 24 }));
    const shown = await ask(port, ours).catch((error: { message: string; reason: string; hint: string }) => `${error.message} ${error.reason} ${error.hint}`);
    expect(shown).toContain("another name");
    expect(shown).not.toMatch(/owned|evil/);
  });
});

describe("a TLS fault says what is wrong", () => {
  it.each<[string, https.ServerOptions, string]>([
    ["no TLS 1.2", { maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" }, "offers no TLS 1.2 or newer"],
    ["no cipher in common", { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-CAMELLIA128-SHA256:AES128-SHA256" }, "no cipher in common"],
    ["a client certificate is wanted (TLS 1.2)", { maxVersion: "TLSv1.2", requestCert: true, rejectUnauthorized: true }, "client certificate"],
    ["a client certificate is wanted (TLS 1.3)", { minVersion: "TLSv1.3", requestCert: true, rejectUnauthorized: true }, "demands a client certificate"],
  ])("%s", async (_, options, reason) => {
    const port = await serve({ ...(await ours.issue()), ...options });
    const failed = ask(port, ours);
    await expect(failed).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE", exitStatus: 30, reason: expect.stringContaining(reason) });
    // OpenSSL's own text has an address of its memory and a path of its build.
    await expect(failed).rejects.toMatchObject({ reason: expect.not.stringMatching(/[0-9A-F]{12}|\.\.\//) });
  });
  it("plain HTTP on its port", async () => {
    await expect(ask(await plain(hello), ours)).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE", reason: expect.stringContaining("speaks no TLS on this port") });
  });
  it("a handshake that never ends: nothing was sent [NW-04]", async () => {
    const port = await listen(createServer(() => undefined));
    await expect(get(`https://localhost:${port}/`, { caData: [ours.pem], deadlineMs: 200 })).rejects.toMatchObject({
      code: "ISSUER_UNREACHABLE",
      reason: "no connection in 0.2 s",
    });
  });
  it("a handshake that drips [NW-04]", async () => {
    const port = await listen(
      createServer((socket) => {
        const timer = setInterval(() => void socket.write("\u0016"), 20);
        socket.on("error", () => undefined).on("close", () => clearInterval(timer));
      }),
    );
    await expect(get(`https://localhost:${port}/`, { caData: [ours.pem], deadlineMs: 200 })).rejects.toMatchObject({ code: "ISSUER_UNREACHABLE" });
  });
  it("nothing is sent before the certificate is judged", async () => {
    let received = 0;
    const server = https.createServer(await other.issue(), (_request, response) => {
      received++;
      response.end();
    });
    const port = await listen(server);
    const sent = fetchWith({ caData: [ours.pem] }).fetch(`https://localhost:${port}/`, { method: "POST", headers: {}, body: "refresh_token=secret", redirect: "manual" });
    await expect(sent).rejects.toMatchObject({ code: "ISSUER_TLS_UNTRUSTED" });
    expect(received).toBe(0);
  });
});

describe("variables that bring authorities", () => {
  it.each(["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"])("%s serves a request, and is part of the trust [NW-07]", async (name) => {
    const file = join(stage.folder, "variable.pem");
    writeFileSync(file, ours.pem);
    const port = await serve(await ours.issue());
    const http = fetchWith({ env: { [name]: file } });
    expect((await http.fetch(`https://localhost:${port}/`, { method: "GET", headers: {}, body: undefined, redirect: "manual" })).status).toBe(200);
    expect(http.trust()).toEqual(fetchWith({ caData: [ours.pem] }).trust());
  });
});

describe("both address families", () => {
  it.skipIf(!hasIPv6).each(["127.0.0.1", "::1"])("a name with two addresses is reached when only %s answers (where there is IPv6) [NW-10]", async (host) => {
    const server = https.createServer(await ours.issue({ names: ["id.example.com"] }), hello);
    await new Promise<void>((done, reject) => server.once("error", reject).listen(0, host, done));
    const both = [
      { address: "::1", family: 6 },
      { address: "127.0.0.1", family: 4 },
    ];
    vi.spyOn(dns, "lookup").mockImplementation(((_name: string, _options: object, done: (fault: null, found: typeof both) => void) => done(null, both)) as typeof dns.lookup);
    try {
      const { port } = server.address() as AddressInfo;
      expect((await get(`https://id.example.com:${port}/`, { caData: [ours.pem] })).status).toBe(200);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
