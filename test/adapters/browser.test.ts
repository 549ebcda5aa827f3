import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemBrowser } from "../../src/adapters/browser.ts";

describe("the browser", () => {
  let folder: string;
  let program: string;
  const log = () => join(folder, "log");
  const url = "https://id.example.com/authorize?a=b&c=%s;$(x)";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-browser-"));
    program = join(folder, "browser");
    writeFileSync(program, `#!/bin/sh\nfor a in "$@"; do echo "$a"; done > ${folder}/log.tmp\nmv ${folder}/log.tmp ${folder}/log\n`);
    chmodSync(program, 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function arguments_(): Promise<readonly string[]> {
    for (let tries = 0; tries < 250 && !existsSync(log()); tries++) await new Promise((done) => setTimeout(done, 20));
    return readFileSync(log(), "utf8").trim().split("\n");
  }

  it("of --browser-command gets the URL as one argument, without a shell [N-01, TE-03]", async () => {
    expect(await systemBrowser({ command: `${program} --new`, env: {}, platform: "linux" }).open(url)).toBe(true);
    expect(await arguments_()).toEqual(["--new", url]);
  });
  it("gets it in the place of %s", async () => {
    await systemBrowser({ command: `${program} --url=%s --last`, env: {}, platform: "linux" }).open(url);
    expect(await arguments_()).toEqual([`--url=${url}`, "--last"]);
  });
  it("of $BROWSER is the first of the list that starts", async () => {
    expect(await systemBrowser({ command: undefined, env: { BROWSER: `/nowhere/browser:${program}` }, platform: "linux" }).open(url)).toBe(true);
    expect(await arguments_()).toEqual([url]);
  });
  it.each([
    "javascript:alert(1)",
    "file:///etc/passwd",
    "--flag",
    "-x",
    "http://id.example.com/",
    "https://u:p@id.example.com/",
    "https://id.example.com/\u001b[2J",
    "vscode://x",
    "",
  ])("is not started for %j, whoever asks [TE-03, DV-14]", async (text) => {
    const launched: string[] = [];
    const options = { env: { DISPLAY: ":9", BROWSER: program }, platform: "linux", launcher: async (started: string) => void launched.push(started) };
    for (const command of [program, undefined]) expect(await systemBrowser({ ...options, command }).open(text)).toBe(false);
    expect([launched, existsSync(log())]).toEqual([[], false]);
  });
  it("gets the normal form of the URL, with the host in ASCII [TE-02, TE-03]", async () => {
    await systemBrowser({ command: program, env: {}, platform: "linux" }).open("HTTPS://аррӏе.com/ä b");
    expect(await arguments_()).toEqual(["https://xn--80ak6aa92e.com/%C3%A4%20b"]);
  });
  it.each([":/usr/bin", ".:/usr/bin", "bin::", "", undefined])("is not taken from the working directory, whatever the PATH (%j) and by whatever name [TE-05]", async (path) => {
    const before = process.cwd();
    for (const name of ["planted-browser", "xdg-open", "x-www-browser"]) writeFileSync(join(folder, name), readFileSync(program), { mode: 0o755 });
    process.chdir(folder);
    try {
      const env = { DISPLAY: ":9", HOME: folder, ...(path === undefined ? {} : { PATH: path }) };
      for (const command of ["planted-browser", "./planted-browser", "planted-browser %s"]) expect(await systemBrowser({ command, env, platform: "linux" }).open(url)).toBe(false);
      expect(await systemBrowser({ command: undefined, env: { ...env, DISPLAY: "", BROWSER: "planted-browser:./planted-browser" }, platform: "linux" }).open(url)).toBe(false);
    } finally {
      process.chdir(before);
    }
    expect(existsSync(log())).toBe(false);
  });
  it("that was chosen and does not start is said, not replaced", async () => {
    expect(await systemBrowser({ command: "/nowhere/browser", env: { BROWSER: program, DISPLAY: ":9" }, platform: "linux" }).open(url)).toBe(false);
    expect(existsSync(log())).toBe(false);
  });
  it("that cannot be started is no crash, whatever the fault", async () => {
    writeFileSync(join(folder, "not-a-program"), "text", { mode: 0o644 });
    writeFileSync(join(folder, "lost"), "#!/nowhere/sh\n", { mode: 0o755 });
    for (const command of [`${folder}/absent`, `${folder}/not-a-program`, `${folder}/lost`, `${folder}/browser/inside`, folder, "'open quote", "a\u0000b"])
      expect(await systemBrowser({ command, env: {}, platform: "linux" }).open(url), command).toBe(false);
    expect(existsSync(log())).toBe(false);
  });

  it("gets our environment without secrets, and without what would steer a Node program", async () => {
    writeFileSync(program, `#!/bin/sh\nenv > ${folder}/log.tmp\nmv ${folder}/log.tmp ${folder}/log\n`);
    const env = { HOME: "/home/ann", KUBECTL_OIDC_PASSWORD: "hunter2", NODE_OPTIONS: "--inspect", NAPI_RS_NATIVE_LIBRARY_PATH: "/x", KUBERNETES_EXEC_INFO: "{}", DISPLAY: ":9" };
    expect(await systemBrowser({ command: program, env, platform: "linux" }).open(url)).toBe(true);
    const names = (await arguments_()).map((line) => line.split("=")[0]);
    expect(names).toEqual(expect.arrayContaining(["HOME", "DISPLAY"]));
    expect(names.filter((name) => /KUBE|NODE|NAPI/.test(name ?? ""))).toEqual([]);
  });

  it("leads a session of its own: what ends us or our terminal does not end it", async () => {
    writeFileSync(program, `#!/bin/sh\ncut -d' ' -f6 /proc/$$/stat > ${folder}/log.tmp; echo $$ >> ${folder}/log.tmp\nmv ${folder}/log.tmp ${folder}/log\n`);
    await systemBrowser({ command: program, env: { PATH: process.env["PATH"] }, platform: "linux" }).open(url);
    const [session, pid] = await arguments_();
    if (process.platform === "linux") expect(session).toBe(pid);
    else expect(pid).toMatch(/^\d+$/);
  });

  describe("of the system", () => {
    const options = { command: undefined, env: { DISPLAY: ":9", PATH: "" }, platform: "darwin", isWsl: () => false, startDeadline: 20 };
    it("gets the URL when $BROWSER starts nothing", async () => {
      const seen: string[] = [];
      const launcher = async (text: string) => void seen.push(text);
      expect(await systemBrowser({ ...options, env: { ...options.env, BROWSER: "/nowhere/browser" }, launcher }).open(url)).toBe(true);
      expect(seen).toEqual([url]);
    });
    it("is not asked where there is none", async () => {
      const launcher = () => Promise.reject(new Error("must not be asked"));
      expect(await systemBrowser({ ...options, platform: "linux", env: {}, launcher }).open(url)).toBe(false);
    });
    it("may fail", async () => expect(await systemBrowser({ ...options, launcher: () => Promise.reject(new Error("no launcher")) }).open(url)).toBe(false));
    it("is not waited for without end", async () => expect(await systemBrowser({ ...options, launcher: () => new Promise(() => undefined) }).open(url)).toBe(true));

    const isLinux = process.platform === "linux";
    it.runIf(isLinux)(`is xdg-open in the built program, and holds no pipe of ours${isLinux ? "" : " (Linux only)"} [N-01]`, async () => {
      const root = resolve(import.meta.dirname, "../..");
      const bundle = join(folder, "bundle.cjs");
      await build({
        stdin: {
          contents: `import { systemBrowser } from ${JSON.stringify(join(root, "src/adapters/browser.ts"))};
            systemBrowser({ command: undefined, env: process.env, platform: "linux" }).open(process.argv[2]).then((opened) => console.log(opened));`,
          resolveDir: root,
        },
        bundle: true,
        platform: "node",
        format: "cjs",
        outfile: bundle,
        logLevel: "error",
        // As build.mjs does.
        supported: { "dynamic-import": false },
        define: { "import.meta.url": "__bundleUrl" },
        banner: { js: "const __bundleUrl=require('node:url').pathToFileURL(__filename).href;" },
      });
      // It lives on until it is told to end; our pipe must not wait for it.
      const launcher = join(folder, "xdg-open");
      writeFileSync(launcher, `#!/bin/sh\necho "$1" > ${folder}/log.tmp\nmv ${folder}/log.tmp ${folder}/log\nwhile [ -e ${launcher} ]; do sleep 0.1; done\n`);
      chmodSync(launcher, 0o755);
      const env = { PATH: [folder, process.env["PATH"]].join(delimiter), DISPLAY: ":9" };
      const ran = spawnSync(process.execPath, [bundle, url], { env, encoding: "utf8", timeout: 20_000 });
      expect(ran).toMatchObject({ status: 0, stdout: "true\n", stderr: "" });
      expect(await arguments_()).toEqual([url]);
      rmSync(launcher);
      const without = spawnSync(process.execPath, [bundle, url], { env: { PATH: folder, DISPLAY: ":9" }, encoding: "utf8", timeout: 20_000 });
      expect(without).toMatchObject({ status: 0, stdout: "false\n", stderr: "" });
    });
  });

  it.each<[boolean, string, Record<string, string>, boolean?]>([
    [false, "linux", {}],
    [true, "linux", { DISPLAY: ":0" }],
    [true, "linux", { WAYLAND_DISPLAY: "w" }],
    [true, "linux", { DISPLAY: "localhost:10.0", SSH_CONNECTION: "x" }],
    [false, "linux", { SSH_CONNECTION: "x" }],
    [true, "linux", { BROWSER: "firefox" }],
    [true, "linux", { BROWSER: "code-helper", SSH_CONNECTION: "x" }],
    [false, "linux", { BROWSER: "" }],
    [false, "linux", { BROWSER: "::" }],
    [true, "linux", {}, true],
    [false, "linux", { SSH_TTY: "x" }, true],
    [false, "freebsd", {}],
    [true, "darwin", {}],
    [false, "darwin", { SSH_CONNECTION: "x" }],
    [true, "win32", {}],
    [false, "win32", { SSH_CONNECTION: "x" }],
  ])("is there: %s on %s with %j (WSL: %s)", (is, platform, env, isWsl = false) => {
    expect(systemBrowser({ command: undefined, env, platform, isWsl: () => isWsl }).available()).toBe(is);
  });
  it("is there when a command was chosen", () => expect(systemBrowser({ command: "firefox", env: {}, platform: "linux" }).available()).toBe(true));
});
