import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { credentialHelperStore, serverUrl } from "../../src/adapters/credential-helper.ts";
import { secretStoreContract } from "../contract/secret-store.contract.ts";
import { codeOfPromise } from "../fakes/codes.ts";

const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-helper-"));
const path = process.env["PATH"];

/** A credential helper as the protocol describes it, on a JSON file; it notes its arguments and environment. */
const helper = `#!${process.execPath}
const fs = require("node:fs");
const file = ${JSON.stringify(join(folder, "items.json"))};
const items = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {};
const input = fs.readFileSync(0, "utf8");
fs.appendFileSync(${JSON.stringify(join(folder, "calls.log"))}, JSON.stringify({ argv: process.argv.slice(2), env: Object.keys(process.env) }) + "\\n");
const save = () => fs.writeFileSync(file, JSON.stringify(items));
switch (process.argv[2]) {
  case "store": { const c = JSON.parse(input); items[c.ServerURL] = c; save(); break; }
  case "get": if (items[input] === undefined) { console.log("credentials not found in native keychain"); process.exit(1); } console.log(JSON.stringify(items[input])); break;
  case "erase": if (items[input] === undefined) { console.log("credentials not found in native keychain"); process.exit(1); } delete items[input]; save(); break;
  default: process.exit(1);
}
`;

function install(name: string, text: string): void {
  const file = join(folder, `docker-credential-${name}`);
  writeFileSync(file, text);
  chmodSync(file, 0o755);
}

beforeAll(() => {
  process.env["PATH"] = `${folder}:${path}`;
  install("good", helper);
});
afterAll(() => {
  process.env["PATH"] = path;
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  delete process.env["KUBECTL_OIDC_PASSWORD"];
});

secretStoreContract("a docker credential helper", async () => credentialHelperStore("good", { deadlineMs: 10_000 }));

describe("a credential helper", () => {
  it("keeps the item under a URL that names it, and gets no secret by argument or environment", async () => {
    process.env["KUBECTL_OIDC_PASSWORD"] = "pa55";
    const store = credentialHelperStore("good", { deadlineMs: 10_000 });
    await store.write("https://id.example.com#k", "secret-of-the-item");
    expect(Object.keys(JSON.parse(readFileSync(join(folder, "items.json"), "utf8")))).toContain(serverUrl("https://id.example.com#k"));
    const calls = readFileSync(join(folder, "calls.log"), "utf8");
    expect(calls).not.toContain("secret-of-the-item");
    expect(calls).not.toContain("KUBECTL_OIDC_PASSWORD");
  });

  it("that is missing is named", async () => {
    await expect(credentialHelperStore("nowhere", { deadlineMs: 1_000 }).read("a")).rejects.toMatchObject({
      code: "KEYCHAIN_UNAVAILABLE",
      message: expect.stringContaining("docker-credential-nowhere"),
    });
  });

  it("that hangs is ended with its children at the deadline", async () => {
    install("hangs", `#!/bin/sh\nsleep 300 &\necho $! > ${folder}/pid\nwait\n`);
    expect(await codeOfPromise(credentialHelperStore("hangs", { deadlineMs: 600 }).read("a"))).toBe("KEYCHAIN_TIMED_OUT");
    const pid = readFileSync(join(folder, "pid"), "utf8").trim();
    // A killed process may stay as a zombie until its new parent has collected it.
    const isGone = () => !existsSync(`/proc/${pid}`) || /\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    for (let tries = 0; tries < 100 && !isGone(); tries++) await new Promise((done) => setTimeout(done, 20));
    expect(isGone()).toBe(true);
  });

  it("that fails is quoted safely, and never when it was given the secret", async () => {
    install("fails", `#!/bin/sh\ncat > ${folder}/given\nprintf 'gpg: \\033[31mno key\\n'; cat ${folder}/given; exit 1\n`);
    const store = credentialHelperStore("fails", { deadlineMs: 5_000 });
    await expect(store.read("a")).rejects.toMatchObject({ code: "KEYCHAIN_UNAVAILABLE", reason: "gpg: [31mno key" });
    const failed = await store.write("a", "secret-of-the-item").then(
      () => undefined,
      (error: unknown) => error as Error & { reason?: string },
    );
    expect(JSON.stringify([failed?.message, failed?.reason])).not.toContain("secret-of-the-item");
  });

  it("whose answer is rubbish is a fault, not an empty session", async () => {
    install("rubbish", "#!/bin/sh\necho hello\n");
    expect(await codeOfPromise(credentialHelperStore("rubbish", { deadlineMs: 5_000 }).read("a"))).toBe("KEYCHAIN_UNAVAILABLE");
  });
});
