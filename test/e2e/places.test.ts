import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as https from "node:https";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeCertificates } from "../issuer/certificates.ts";
import { credentialOf, openUrl, runWithBrowser } from "./program.ts";
import { home, issuer, session, useStage } from "./stage.ts";

useStage();

describe("other places", () => {
  it("a credential helper keeps the session, under a URL that names it, and gives it up at logout", async () => {
    const items = join(home.folder, "items.json");
    home.holdsSecrets("items.json");
    const helper = join(home.folder, "docker-credential-test");
    writeFileSync(
      helper,
      `#!${process.execPath}
const fs = require("node:fs"); const file = ${JSON.stringify(items)}; const input = fs.readFileSync(0, "utf8");
const items = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {};
if (process.argv[2] === "store") items[JSON.parse(input).ServerURL] = JSON.parse(input);
else if (items[input] === undefined) { console.log("credentials not found in native keychain"); process.exit(1); }
else if (process.argv[2] === "get") console.log(JSON.stringify(items[input])); else delete items[input];
fs.writeFileSync(file, JSON.stringify(items));
`,
      { mode: 0o755 },
    );
    const env = { PATH: `${home.folder}:${home.env["PATH"]}` };
    const args = session().map((arg) => (arg.startsWith("--token-cache-storage") ? "--token-cache-storage=helper:test" : arg));
    expect((await runWithBrowser(home, args, env)).status).toBe(0);
    expect(Object.keys(JSON.parse(readFileSync(items, "utf8")))).toEqual([`https://kubectl-oidc.invalid/${encodeURIComponent(`${issuer.url}#kubernetes`)}`]);
    const refreshed = await home.run([...args, "--force-refresh"], env);
    expect(refreshed.status, refreshed.stderr).toBe(0);
    expect((await home.run(["logout", ...args.slice(1)], env)).status).toBe(0);
    expect(JSON.parse(readFileSync(items, "utf8"))).toEqual({});
    const gone = await home.run([...args, "--non-interactive"], {});
    expect(gone.status).not.toBe(0);
  });

  it("an HTTPS listener with the person's own certificate", async () => {
    const { certPem, keyPem, caPem } = await makeCertificates(home.folder);
    writeFileSync(join(home.folder, "cert.pem"), certPem);
    writeFileSync(join(home.folder, "key.pem"), keyPem);
    const started = home.start(session(`--local-server-cert=${home.folder}/cert.pem`, `--local-server-key=${home.folder}/key.pem`));
    const [, url = ""] = await started.sees(openUrl);
    const location = (await fetch(url, { redirect: "manual" })).headers.get("location") ?? "";
    expect(location).toMatch(/^https:\/\/localhost:/);
    const status = await new Promise((done, failed) => https.get(location, { ca: caPem, agent: false }, (response) => done(response.resume().statusCode)).on("error", failed));
    expect(status).toBe(200);
    expect((await started.ended).status).toBe(0);
  });

  it("the device URL is opened in the browser when that is allowed", async () => {
    const log = join(home.folder, "opened");
    const args = session("--grant-type=device-code", `--browser-command=/bin/sh -c 'echo "$1" > ${log}' sh`).filter((arg) => arg !== "--skip-open-browser");
    expect((await home.run(args)).status).toBe(0);
    expect(readFileSync(log, "utf8").trim()).toBe(`${issuer.url}/activate?user_code=WDJB-MJHT`);
  });

  it("with --id-token-cache=none every call refreshes, and no short-lived token is on disk", async () => {
    const args = session("--id-token-cache=none");
    const first = await runWithBrowser(home, args);
    const before = issuer.count("/token");
    const second = await home.run([...args, "--non-interactive"]);
    expect(credentialOf(second).status.token).not.toBe(credentialOf(first).status.token);
    expect(issuer.count("/token") - before).toBe(1);
    expect(existsSync(join(home.data, "credentials"))).toBe(false);
  });

  it("KUBECACHEDIR and --token-cache-dir move the store, and with it the session", async () => {
    const moved = { KUBECACHEDIR: join(home.folder, "cache") };
    expect((await runWithBrowser(home, session(), moved)).status).toBe(0);
    expect(existsSync(join(home.folder, "cache", "kubectl-oidc", "refresh"))).toBe(true);
    expect((await home.run(session("--non-interactive"), moved)).status).toBe(0);
    expect((await home.run(session("--non-interactive"))).status).toBe(20);
    await runWithBrowser(home, session("--token-cache-dir=~/sessions"));
    expect(existsSync(join(home.folder, "home", "sessions", "refresh"))).toBe(true);
  });
});
