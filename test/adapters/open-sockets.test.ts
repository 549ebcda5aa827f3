import { expect, it } from "vitest";
import { makeCertificates } from "../issuer/certificates.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "node:https";
import { ask, listen, never, ok, rawConnection, state, stillWaits, theAnswer, useListeners } from "./callback-stage.ts";

useListeners();

it("three hundred connections that say nothing do not keep the answer out; the oldest go [LB-08]", async () => {
  const listener = await listen();
  const silent = [];
  for (let i = 0; i < 300; i++) silent.push(await rawConnection(listener.port, i % 2 === 0 ? "" : "GET / HT"));
  expect(await silent[0]?.ended).toBe("");
  expect((await stillWaits(listener)).status).toBe(200);
});

it("a held answer is not among those that go, with TLS either [LB-07, LB-08]", async () => {
  const plain = await listen();
  const page = ask(plain.port, theAnswer);
  await plain.next(never);
  for (let i = 0; i < 100; i++) await rawConnection(plain.port);
  await plain.finish(ok);
  expect((await page).status).toBe(200);

  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-sockets-"));
  try {
    const { certPem, keyPem } = await makeCertificates(folder);
    const [certificateFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    writeFileSync(certificateFile, certPem);
    writeFileSync(keyFile, keyPem, { mode: 0o600 });
    const secure = await listen({ certificateFile, keyFile });
    const status = new Promise((resolve, reject) => {
      request({ host: "127.0.0.1", port: secure.port, path: `/?code=c&state=${state}`, rejectUnauthorized: false, agent: false }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on("error", reject)
        .end();
    });
    await secure.next(never);
    for (let i = 0; i < 100; i++) await rawConnection(secure.port);
    await secure.finish(ok);
    expect(await status).toBe(200);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
