import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { credentialHelperStore, serverUrl } from "../../src/adapters/credential-helper.ts";
import { secretStoreContract } from "../contract/secret-store.contract.ts";
import { codeOf, codeOfPromise } from "../fakes/codes.ts";

const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-helper-"));
const path = process.env["PATH"];

const fileOf = (url: string) => join(folder, "items", Buffer.from(url).toString("base64url"));

/** A credential helper as the protocol describes it, one file for one item; it notes its arguments and environment. */
const helper = `#!${process.execPath}
const fs = require("node:fs");
const fileOf = (url) => ${JSON.stringify(join(folder, "items"))} + "/" + Buffer.from(url).toString("base64url");
const input = fs.readFileSync(0, "utf8");
fs.appendFileSync(${JSON.stringify(join(folder, "calls.log"))}, JSON.stringify({ argv: process.argv.slice(2), env: Object.keys(process.env) }) + "\\n");
const found = (act) => { if (fs.existsSync(fileOf(input))) return act(); console.log("credentials not found in native keychain"); process.exit(1); };
switch (process.argv[2]) {
  case "store": fs.writeFileSync(fileOf(JSON.parse(input).ServerURL), input); break;
  case "get": found(() => console.log(fs.readFileSync(fileOf(input), "utf8"))); break;
  case "erase": found(() => fs.unlinkSync(fileOf(input))); break;
  default: process.exit(1);
}
`;

function install(name: string, text: string): void {
  const file = join(folder, `docker-credential-${name}`);
  writeFileSync(file, text);
  chmodSync(file, 0o755);
}

const pidIn = (file: string) => readFileSync(join(folder, file), "utf8").trim();

/** A killed process may stay as a zombie until its new parent has collected it. */
function runs(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
  } catch {
    return false;
  }
  return !existsSync(`/proc/${pid}/stat`) || !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

async function isGone(pid: string): Promise<void> {
  await expect.poll(() => runs(pid), { timeout: 5_000, interval: 20 }).toBe(false);
}

beforeAll(() => {
  process.env["PATH"] = `${folder}:${path}`;
  mkdirSync(join(folder, "items"));
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
    expect(serverUrl("https://id.example.com#k")).toBe("https://kubectl-oidc.invalid/https%3A%2F%2Fid.example.com%23k");
    expect(existsSync(fileOf(serverUrl("https://id.example.com#k")))).toBe(true);
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
    expect(await codeOfPromise(credentialHelperStore("hangs", { deadlineMs: 2_000 }).read("a"))).toBe("KEYCHAIN_TIMED_OUT");
    await isGone(pidIn("pid"));
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

  it.each([
    'error getting credentials - err: exec: "pass": executable file not found in $PATH',
    "gpg: decryption failed: No such file or directory",
    "/usr/bin/docker-credential-x: 3: pass: not found",
    "Cannot autolaunch D-Bus: the socket does not exist",
  ])("that says %j is broken: the session is not taken for absent, nor for deleted", async (text) => {
    install("broken", `#!/bin/sh\ncat > /dev/null\necho '${text}'\nexit 1\n`);
    const store = credentialHelperStore("broken", { deadlineMs: 5_000 });
    await expect(store.read("a")).rejects.toMatchObject({ code: "KEYCHAIN_UNAVAILABLE", reason: text });
    expect(await codeOfPromise(store.remove("a"))).toBe("KEYCHAIN_UNAVAILABLE");
  });

  it.each([
    "credentials not found in native keychain",
    "The specified item could not be found in the keychain.",
    "Error: docker-credential-helpers/aHR0cHM6Ly9r/a is not in the password store.",
  ])("that says %j holds nothing", async (text) => {
    install("empty", `#!/bin/sh\ncat > /dev/null\necho '${text}'\nexit 1\n`);
    const store = credentialHelperStore("empty", { deadlineMs: 5_000 });
    expect(await store.read("a")).toBeUndefined();
    await store.remove("a");
  });

  it.each([
    ["an empty credential", { ServerURL: "", Username: "", Secret: "" }],
    ["the credential of another name on that host", { ServerURL: "https://kubectl-oidc.invalid/b", Username: "b", Secret: "of-b" }],
  ])("that gives %s holds nothing of ours", async (_, credential) => {
    install("other", `#!/bin/sh\ncat > /dev/null\necho '${JSON.stringify(credential)}'\n`);
    expect(await credentialHelperStore("other", { deadlineMs: 5_000 }).read("a")).toBeUndefined();
  });

  it("that fails with a credential on its lips is not quoted", async () => {
    install("leaks", `#!/bin/sh\ncat > /dev/null\necho '{"Username":"a","Secret":"secret-of-the-item"}'\nexit 3\n`);
    await expect(credentialHelperStore("leaks", { deadlineMs: 5_000 }).read("a")).rejects.toMatchObject({ code: "KEYCHAIN_UNAVAILABLE", reason: "it ended with status 3" });
  });

  it("whose agent keeps its stdout open is answered when the helper ends", async () => {
    install("agent", `#!/bin/sh\ncat > /dev/null\nsleep 300 &\necho $! > ${folder}/agent\necho '{"ServerURL":"x","Username":"a","Secret":"s"}'\n`);
    try {
      expect(await credentialHelperStore("agent", { deadlineMs: 20_000 }).read("a")).toBe("s");
      expect(runs(pidIn("agent")), "the agent is not ours to end").toBe(true);
    } finally {
      process.kill(Number(pidIn("agent")), "SIGKILL");
    }
  });

  it("ends a read with this program, which may be interrupted while gpg asks for a PIN", async () => {
    install("asks", `#!/bin/sh\nsleep 300 &\necho $! > ${folder}/asks.new\nmv ${folder}/asks.new ${folder}/asks\nwait\n`);
    const program = join(folder, "reads.cjs");
    const source = resolve(import.meta.dirname, "../../src/adapters/credential-helper.ts");
    const contents = `import { existsSync } from "node:fs";
      import { credentialHelperStore } from ${JSON.stringify(source)};
      void credentialHelperStore("asks", { deadlineMs: 60_000 }).read("a");
      setInterval(() => existsSync(${JSON.stringify(join(folder, "asks"))}) && process.exit(7), 10);`;
    buildSync({ stdin: { contents, resolveDir: folder }, bundle: true, platform: "node", format: "cjs", outfile: program, logLevel: "error" });
    expect(spawnSync(process.execPath, [program], { timeout: 20_000 }).status).toBe(7);
    await isGone(pidIn("asks"));
  });

  it("has a plain name, never a path", () => {
    for (const name of ["", "../evil", "a/b", "A", "a b", "a\n"]) expect(codeOf(() => credentialHelperStore(name, { deadlineMs: 1_000 }))).toBe("SETTINGS_INVALID");
  });

  it("is not looked for in the working directory", async () => {
    install("planted", helper);
    process.env["PATH"] = `.:relative:${path}`;
    const here = process.cwd();
    try {
      process.chdir(folder);
      expect(await codeOfPromise(credentialHelperStore("planted", { deadlineMs: 5_000 }).read("a"))).toBe("KEYCHAIN_UNAVAILABLE");
    } finally {
      process.chdir(here);
      process.env["PATH"] = `${folder}:${path}`;
    }
  });

  it("may be probed by several logins at the same time, and nothing of it stays", async () => {
    install("counts", `#!/bin/sh\nin=$(cat)\necho "$1 $in" >> ${folder}/counts\n[ $1 = get ] && echo "{\\"Username\\":\\"\${in##*/}\\",\\"Secret\\":\\"\${in##*/}\\"}"\nexit 0\n`);
    await Promise.all([1, 2, 3].map(() => credentialHelperStore("counts", { deadlineMs: 10_000 }).probe()));
    const calls = readFileSync(join(folder, "counts"), "utf8").trim().split("\n");
    const urls = (verb: string) =>
      calls
        .filter((line) => line.startsWith(verb))
        .map((line) => /https:[^"]*/.exec(line)?.[0])
        .sort();
    expect(new Set(urls("store")).size).toBe(3);
    expect(urls("erase")).toEqual(urls("store"));
  });
});
