import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { privateFiles } from "../../src/adapters/private-files.ts";
import { sessionFiles } from "../../src/adapters/session-files.ts";
import { codeOf } from "../fakes/codes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const files = () => privateFiles(join(folder, "deep", "store"));
const pathOf = (name: string) => join(folder, "deep", "store", name);

function replace(path: string, make: () => void): void {
  rmSync(path);
  make();
}

describe("private files", () => {
  it("are 0600 in 0700, whatever the umask, and give back what was written", () => {
    const before = process.umask(0o777);
    try {
      files().write("sessions/a.json", "text");
    } finally {
      process.umask(before);
    }
    expect(files().read("sessions/a.json")).toBe("text");
    expect(statSync(pathOf("sessions/a.json")).mode & 0o777).toBe(0o600);
  });

  it("absent ones are undefined, removing them is no error, listing a missing folder is empty", () => {
    expect(files().read("sessions/none.json")).toBeUndefined();
    files().remove("sessions/none.json");
    expect(files().list("sessions")).toEqual([]);
  });

  it("leave no temporary file behind, and clear away old ones of killed processes [ST-03]", () => {
    files().write("sessions/a.json", "1");
    const orphan = pathOf("sessions/a.json.1.0123456789ab.tmp");
    writeFileSync(orphan, "half");
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    utimesSync(orphan, longAgo, longAgo);
    files().write("sessions/a.json", "2");
    expect(readdirSync(pathOf("sessions"))).toEqual(["a.json"]);
    expect(files().list("sessions")).toEqual(["a.json"]);
  });

  it.each<[string, (path: string) => void, string]>([
    ["that others can read", (path) => chmodSync(path, 0o644), "STORE_UNSAFE"],
    ["with a second name", (path) => linkSync(path, `${path}.second`), "STORE_UNSAFE"],
    ["that is too large", (path) => writeFileSync(path, "x".repeat(1_048_577)), "STORE_UNREADABLE"],
    ["that is a folder", (path) => replace(path, () => mkdirSync(path)), "STORE_UNSAFE"],
    ["that is a link", (path) => replace(path, () => symlinkSync("/etc/hostname", path)), "STORE_UNSAFE"],
  ])("a file %s is refused by name", (_, spoil, code) => {
    files().write("sessions/a.json", "text");
    spoil(pathOf("sessions/a.json"));
    expect(codeOf(() => files().read("sessions/a.json"))).toBe(code);
    expect(() => files().read("sessions/a.json")).toThrow("a.json");
  });

  it("a folder that others may write, or that is a link, is refused", () => {
    files().write("sessions/a.json", "text");
    chmodSync(pathOf("sessions"), 0o777);
    expect(codeOf(() => files().write("sessions/b.json", "text"))).toBe("STORE_UNSAFE");
    symlinkSync(folder, join(folder, "link"));
    expect(codeOf(() => privateFiles(join(folder, "link")).write("a/b", "text"))).toBe("STORE_UNSAFE");
  });

  it("a folder that cannot be made is STORE_UNWRITABLE, at once", () => {
    expect(codeOf(() => privateFiles("/proc/nowhere").write("a/b", "text"))).toBe("STORE_UNWRITABLE");
    expect(codeOf(() => privateFiles("/dev/null/x").write("a/b", "text"))).toBe("STORE_UNWRITABLE");
  });

  it("writing replaces a link instead of following it", () => {
    files().write("sessions/a.json", "text");
    const victim = join(folder, "victim");
    writeFileSync(victim, "precious");
    rmSync(pathOf("sessions/a.json"));
    symlinkSync(victim, pathOf("sessions/a.json"));
    files().write("sessions/a.json", "new");
    expect(readFileSync(victim, "utf8")).toBe("precious");
    expect(lstatSync(pathOf("sessions/a.json")).isSymbolicLink()).toBe(false);
  });
});

describe("private files of a machine that works against them", () => {
  it("a pipe in a file's place is refused and never waited for", () => {
    files().write("sessions/a.json", "text");
    replace(pathOf("sessions/a.json"), () => execFileSync("mkfifo", ["-m", "600", pathOf("sessions/a.json")]));
    expect(codeOf(() => files().read("sessions/a.json"))).toBe("STORE_UNSAFE");
  });

  it("a write that fails at its last step leaves the old state and no temporary file [ST-03]", () => {
    mkdirSync(pathOf("sessions/a.json/full"), { recursive: true, mode: 0o700 });
    expect(codeOf(() => files().write("sessions/a.json", "text"))).toBe("STORE_UNWRITABLE");
    expect(readdirSync(pathOf("sessions"))).toEqual(["a.json"]);
  });

  it("rubbish that cannot be cleared away does not fail a write", () => {
    files().write("sessions/a.json", "1");
    mkdirSync(pathOf("sessions/folder.tmp"));
    utimesSync(pathOf("sessions/folder.tmp"), 1, 1);
    files().write("sessions/a.json", "2");
    expect(files().read("sessions/a.json")).toBe("2");
  });

  it("a store that is a file is said so, and a reader finds it empty", () => {
    writeFileSync(join(folder, "deep"), "not a folder");
    expect(files().read("sessions/a.json")).toBeUndefined();
    expect(files().list("sessions")).toEqual([]);
    expect(["STORE_UNSAFE", "STORE_UNWRITABLE"]).toContain(codeOf(() => files().write("sessions/a.json", "text")));
  });

  it.skipIf(process.geteuid?.() !== 0)("a file or folder of another user is refused (needs root)", () => {
    files().write("sessions/a.json", "text");
    chownSync(pathOf("sessions/a.json"), 12_345, 12_345);
    expect(codeOf(() => files().read("sessions/a.json"))).toBe("STORE_UNSAFE");
    chownSync(pathOf("sessions"), 12_345, 12_345);
    expect(codeOf(() => files().write("sessions/b.json", "text"))).toBe("STORE_UNSAFE");
  });

  it("a damaged file is moved out of the way, once and again", () => {
    for (const text of ["first", "second"]) {
      files().write("sessions/a.json", text);
      files().moveAside("sessions/a.json");
      expect(files().read("sessions/a.json")).toBeUndefined();
      expect(readFileSync(pathOf("sessions/a.json.corrupt"), "utf8")).toBe(text);
    }
    files().moveAside("sessions/none.json");
  });

  it("a reader sees one whole text or another while processes write and are killed [ST-03]", async () => {
    const program = join(folder, "writes.cjs");
    const contents = `import { privateFiles } from ${JSON.stringify(resolve(import.meta.dirname, "../../src/adapters/private-files.ts"))};
      const files = privateFiles(process.argv[2]);
      for (let i = 0; ; i++) { files.write("sessions/a.json", String(i % 10).repeat(60_000)); if (i === 3) console.log("writing"); }`;
    await build({ stdin: { contents, resolveDir: folder }, bundle: true, platform: "node", format: "cjs", outfile: program, logLevel: "error" });
    const writers = [1, 2].map(() => spawn(process.execPath, [program, join(folder, "deep", "store")], { stdio: ["ignore", "pipe", "inherit"] }));
    try {
      for (const writer of writers) {
        const ended = once(writer, "exit").then(() => Promise.reject(new Error("a writer ended by itself")));
        ended.catch(() => {});
        await Promise.race([once(writer.stdout, "data"), ended]);
      }
      const whole = () => /^(\d)\1{59999}$/.test(files().read("sessions/a.json") ?? "");
      for (let i = 0; i < 200; i++) expect(whole()).toBe(true);
      for (const writer of writers) {
        const gone = once(writer, "exit");
        writer.kill("SIGKILL");
        await gone;
        expect(whole()).toBe(true);
      }
    } finally {
      for (const writer of writers) writer.kill("SIGKILL");
    }
  });

  it("first calls that make the same folders in the same moment all write", async () => {
    const program = join(folder, "race.cjs");
    const contents = `import { parentPort, workerData } from "node:worker_threads";
      import { privateFiles } from ${JSON.stringify(resolve(import.meta.dirname, "../../src/adapters/private-files.ts"))};
      const { base, gate, workers, rounds } = workerData;
      const seen = new Int32Array(gate);
      try {
        for (let round = 0; round < rounds; round++) {
          Atomics.add(seen, 0, 1);
          while (Atomics.load(seen, 0) < workers * (round + 1)) if (Atomics.load(seen, 1) !== 0) throw new Error("the other failed");
          privateFiles(base + "/" + round + "/a/b/store").write("sessions/a.json", "text");
        }
        parentPort.postMessage("all written");
      } catch (error) { Atomics.store(seen, 1, 1); parentPort.postMessage(error.message + " " + error.reason); }`;
    await build({ stdin: { contents, resolveDir: folder }, bundle: true, platform: "node", format: "cjs", outfile: program, logLevel: "error" });
    const gate = new SharedArrayBuffer(8);
    const racers = [1, 2].map(() => new Worker(program, { workerData: { base: join(folder, "race"), gate, workers: 2, rounds: 200 } }));
    const said = await Promise.all(racers.map(async (racer) => (await once(racer, "message"))[0]));
    await Promise.all(racers.map((racer) => racer.terminate()));
    expect(said).toEqual(["all written", "all written"]);
  });
});

describe("session records", () => {
  const record = {
    schema: 1 as const,
    key: "a".repeat(64),
    identity: { issuer: "https://id.example.com", clientId: "k", scopes: [], grant: "person", extraParams: [], storage: "disk" },
    itemName: "x",
    hasRefreshToken: true,
    loggedInAt: "2026-01-01T00:00:00Z",
  };
  it("come back as they were written", () => {
    const store = sessionFiles(files());
    store.write(record);
    expect(store.list()).toEqual([record]);
    store.remove(record.key);
    expect(store.list()).toEqual([]);
  });
  it("a damaged one is moved aside, so that a login heals it [ST-12]", () => {
    sessionFiles(files()).write(record);
    writeFileSync(pathOf(`sessions/${record.key}.json`), '{"schema":1,', { mode: 0o600 });
    expect(sessionFiles(files()).read(record.key)).toBeUndefined();
    expect(existsSync(pathOf(`sessions/${record.key}.json.corrupt`))).toBe(true);
  });
  it("one of a newer program is refused and stays [ST-13]", () => {
    files().write(`sessions/${record.key}.json`, JSON.stringify({ ...record, schema: 2 }));
    expect(codeOf(() => sessionFiles(files()).read(record.key))).toBe("STORE_UNREADABLE");
    expect(existsSync(pathOf(`sessions/${record.key}.json`))).toBe(true);
  });
});
