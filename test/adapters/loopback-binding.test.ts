import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codeOfPromise } from "../fakes/codes.ts";
import { makeCertificates } from "../issuer/certificates.ts";
import { ask, hasIpv6, listen, never, ok, rawConnection, state, stillWaits, takenPort, theAnswer, useListeners } from "./callback-stage.ts";

useListeners();

describe("binding and letting go", () => {
  it("listens on localhost, as the redirect URI says [N-10, LB-17]", async () => {
    const { port, redirectUri } = await listen();
    expect(redirectUri).toBe(`http://localhost:${port}`);
    expect((await ask(port, "/x")).status).toBe(404);
  });

  it.runIf(hasIpv6)(`listens on both families, on one port${hasIpv6 ? "" : " (needs IPv6)"}`, async () => {
    const { port } = await listen();
    expect((await ask(port, "/x", { host: "::1" })).status).toBe(404);
  });

  it.runIf(hasIpv6)(`takes the next address when another program has only ::1${hasIpv6 ? "" : " (needs IPv6)"}`, async () => {
    const taken = await takenPort("::1");
    try {
      expect((await listen({ addresses: [`127.0.0.1:${taken.port}`, "127.0.0.1:0"] })).port).not.toBe(taken.port);
      await expect(listen({ addresses: [`127.0.0.1:${taken.port}`] })).rejects.toMatchObject({ code: "PORTS_IN_USE", reason: `EADDRINUSE [::1]:${taken.port}` });
      // What was bound for the address that was given up is free again.
      await expect(ask(taken.port, "/")).rejects.toThrow(/ECONNREFUSED/);
    } finally {
      taken.release();
    }
  });

  it("of a redirect URL with an address listens there only [N-05, LB-06]", async () => {
    const listener = await listen({ redirectUrl: "http://127.0.0.1:0/cb" });
    expect(listener.redirectUri).toBe(`http://127.0.0.1:${listener.port}/cb`);
    await expect(ask(listener.port, "/", { host: "::1" })).rejects.toThrow(/ECONNREFUSED|EADDRNOTAVAIL/);
    expect((await ask(listener.port, `/?code=c&state=${state}`)).status).toBe(404);
    const page = ask(listener.port, `/cb?code=c&state=${state}`);
    expect(await listener.next(never)).toBe(`?code=c&state=${state}`);
    await listener.finish(ok);
    expect((await page).status).toBe(200);
  });

  it("drops connections that say nothing, or too slowly, without a word [LB-08]", async () => {
    const listener = await listen({}, { request: 100, lastPage: 1_000 });
    const silent = await rawConnection(listener.port);
    const slow = await rawConnection(listener.port, "GET / HT");
    expect(await Promise.all([silent.ended, slow.ended])).toEqual(["", ""]);
    expect((await stillWaits(listener)).status).toBe(200);
  });

  it("waits longer for the outcome than for a request", async () => {
    const listener = await listen({}, { request: 50, lastPage: 1_000 });
    const page = ask(listener.port, theAnswer);
    await listener.next(never);
    // Two silent connections, one after the other, are dropped while the answer is held.
    await (await rawConnection(listener.port)).ended;
    await (await rawConnection(listener.port)).ended;
    await listener.finish(ok);
    expect((await page).status).toBe(200);
  });

  // The deadline for the last page is far away here: only what waits for it can take that long.
  const patient = { request: 10_000, lastPage: 600_000 };

  it("frees its ports at once, connections that a browser opened ahead of need included [N-04, LB-07, LB-15]", async () => {
    const listener = await listen({}, patient);
    const idle = await rawConnection(listener.port);
    await listener.finish(undefined);
    expect(await idle.ended).toBe("");
    await expect(ask(listener.port, "/")).rejects.toThrow(/ECONNREFUSED/);
  });

  it("does not wait for a browser that went away", async () => {
    const listener = await listen({}, patient);
    const gone = await rawConnection(listener.port, `GET ${theAnswer} HTTP/1.1\r\nhost: localhost:${listener.port}\r\n\r\n`);
    expect(await listener.next(never)).toContain("right");
    gone.socket.destroy();
    await gone.ended;
    // By then the listener has seen it go.
    for (let i = 0; i < 3; i++) await ask(listener.port, "/favicon.ico");
    await listener.finish(ok);
  });

  it("takes the next address when one is taken, and names what it tried when none is left [LB-04]", async () => {
    const taken = await takenPort("127.0.0.1");
    try {
      expect((await listen({ addresses: [`127.0.0.1:${taken.port}`, "127.0.0.1:0"] })).port).not.toBe(taken.port);
      await expect(listen({ addresses: [`127.0.0.1:${taken.port}`] })).rejects.toMatchObject({
        code: "PORTS_IN_USE",
        message: expect.stringContaining(`127.0.0.1:${taken.port}`),
        reason: `EADDRINUSE 127.0.0.1:${taken.port}`,
      });
    } finally {
      taken.release();
    }
  });

  it("speaks HTTPS with a certificate, and names files that are none", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-callback-"));
    try {
      const certificates = await makeCertificates(folder);
      const certificateFile = join(folder, "cert.pem");
      const keyFile = join(folder, "key.pem");
      writeFileSync(certificateFile, certificates.certPem);
      writeFileSync(keyFile, certificates.keyPem);
      const listener = await listen({ certificateFile, keyFile }, patient);
      expect(listener.redirectUri).toMatch(/^https:\/\/localhost:\d+$/);
      const status = await new Promise((resolve, reject) =>
        https.get({ host: "localhost", port: listener.port, path: "/x", ca: certificates.caPem, agent: false }, (response) => resolve(response.statusCode)).on("error", reject),
      );
      expect(status).toBe(404);
      await expect(listen({ certificateFile: join(folder, "none"), keyFile })).rejects.toMatchObject({
        code: "SETTINGS_INVALID",
        message: expect.stringContaining("--local-server-cert"),
      });
      await expect(listen({ certificateFile, keyFile: folder })).rejects.toMatchObject({ code: "SETTINGS_INVALID", message: expect.stringContaining("--local-server-key") });
      expect(await codeOfPromise(listen({ certificateFile: keyFile, keyFile }))).toBe("SETTINGS_INVALID");
      // The last page arrives whole, and a connection that never began its handshake does not hold the end up.
      const idle = await rawConnection(listener.port);
      const page = new Promise<string>((resolve, reject) =>
        https
          .get({ host: "localhost", port: listener.port, path: theAnswer, ca: certificates.caPem, agent: false }, (response) => {
            let body = "";
            response.setEncoding("utf8").on("data", (chunk) => {
              body += chunk;
            });
            response.on("end", () => resolve(body));
            response.on("error", reject);
          })
          .on("error", reject),
      );
      await listener.next(never);
      await listener.finish(ok);
      expect(await page).toContain("</html>");
      expect(await idle.ended).toBe("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
