import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readClientCertificate } from "../../src/adapters/client-certificate.ts";
import { readClientKey } from "../../src/adapters/client-key.ts";
import { readSecretFile } from "../../src/adapters/secret-file.ts";
import { codeOfPromise } from "../fakes/codes.ts";
import { hasProgram } from "../programs.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-secret-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const write = (text: string, mode = 0o600) => {
  const file = join(folder, "secret");
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
};
const read = (path: string, signal?: AbortSignal) => readSecretFile("password-file", path, { signal });

const isRoot = process.geteuid?.() === 0;
const hasPipes = hasProgram("mkfifo");
const pipe = () => {
  const path = join(folder, "pipe");
  execFileSync("mkfifo", ["-m", "600", path]);
  return path;
};
/** Somebody who holds the pipe open, writes after that many milliseconds, and ends. */
async function writerOf(path: string, ms: number) {
  const writer = spawn(
    process.execPath,
    [
      "-e",
      `const fs = require("node:fs"); const fd = fs.openSync(${JSON.stringify(path)}, "r+"); console.log("open"); setTimeout(() => { fs.writeSync(fd, "late\\n"); fs.closeSync(fd); }, ${ms});`,
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  await new Promise((done) => writer.stdout.once("data", done));
  return writer;
}

describe("a secret file", () => {
  it("loses its last line break only", async () => {
    expect(await read(write("s3cret\n"))).toBe("s3cret");
    expect(await read(write("s3cret\r\n"))).toBe("s3cret");
    expect(await read(write(" s3 cret \n\n"))).toBe(" s3 cret \n");
  });
  it.each<[string, () => string]>([
    ["that is empty", () => write("\n")],
    ["that is absent", () => join(folder, "none")],
    ["that is a folder", () => folder],
    ["that is a device", () => "/dev/zero"],
    ["that is too large", () => write("x".repeat(65_537))],
    ["that is no text", () => write("a\u0000b")],
  ])("%s is refused, naming the option and nothing of it", async (_, make) => {
    const path = make();
    expect(await codeOfPromise(read(path))).toBe("SETTINGS_INVALID");
    await expect(read(path)).rejects.toThrow("--password-file");
  });
  it("that is a socket is refused at once", async () => {
    const server = createServer().listen(join(folder, "socket"));
    await new Promise((done) => server.once("listening", done));
    expect(await codeOfPromise(read(join(folder, "socket")))).toBe("SETTINGS_INVALID");
    await new Promise((done) => server.close(done));
  });
});

describe.skipIf(process.platform === "win32")("a secret file that somebody else decides about", () => {
  it("everybody may write it: refused, whoever can read it; its group may, as with Kubernetes' fsGroup: taken", async () => {
    for (const mode of [0o602, 0o666, 0o777])
      await expect(read(write("s3cret", mode))).rejects.toMatchObject({ code: "SETTINGS_INVALID", reason: expect.stringContaining("can write it") });
    for (const mode of [0o400, 0o644, 0o660]) expect(await read(write("s3cret", mode))).toBe("s3cret");
  });
  it.runIf(isRoot)(
    `it belongs to another user, who can rewrite it whatever its mode is: refused, for keys too; a certificate must fit its key, whoever wrote it${isRoot ? "" : " (needs root)"}`,
    async () => {
      const file = write("s3cret", 0o400);
      chownSync(file, 65_534, 65_534);
      const refused = { code: "SETTINGS_INVALID", reason: expect.stringContaining("belongs to another user") };
      await expect(read(file)).rejects.toMatchObject(refused);
      symlinkSync(file, join(folder, "link"));
      await expect(read(join(folder, "link"))).rejects.toMatchObject(refused);
      const warn = () => undefined;
      await expect(readClientKey({ option: "client-key-file", path: file, warn }, undefined)).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining("--client-key-file"),
      });
      const certificate = readClientCertificate(file, file, { now: 0, warn });
      await expect(certificate).rejects.toMatchObject({ code: "SETTINGS_INVALID", reason: "it holds no certificate in PEM" });
    },
  );
  it("its folder is another matter: Kubernetes' own volumes can be written by everybody", async () => {
    mkdirSync(join(folder, "volume"));
    chmodSync(join(folder, "volume"), 0o777);
    writeFileSync(join(folder, "volume", "secret"), "s3cret", { mode: 0o600 });
    expect(await read(join(folder, "volume", "secret"))).toBe("s3cret");
  });
});

describe.skipIf(!hasPipes)(`a pipe in a secret file's place${hasPipes ? "" : " (needs mkfifo)"}`, () => {
  it("may have a writer that is late", async () => {
    const path = pipe();
    await writerOf(path, 150);
    expect(await read(path)).toBe("late");
  });
  it("holds nobody without a writer", async () => {
    await expect(read(pipe())).rejects.toMatchObject({ code: "SETTINGS_INVALID", reason: "it is empty" });
  });
  it("is given up when the person does: INTERRUPTED, while its writer says nothing", async () => {
    const path = pipe();
    const writer = await writerOf(path, 20_000);
    const interrupt = new AbortController();
    const reading = read(path, interrupt.signal);
    interrupt.abort();
    expect(await codeOfPromise(reading)).toBe("INTERRUPTED");
    writer.kill();
  });
});
