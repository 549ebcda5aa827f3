import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { isStandalone, programPath, runWithBrowser } from "./program.ts";
import { ageToken, home, issuer, session, useStage } from "./stage.ts";

const execute = promisify(execFile);
const npmProgram = [process.execPath, resolve(import.meta.dirname, "../../dist/kubectl-oidc.cjs")];

describe.skipIf(!isStandalone)(`the standalone executable${isStandalone ? "" : " (skipped: TEST_PROGRAM names none)"}`, () => {
  useStage();

  it("reads no .env and no bunfig.toml of the working directory", async () => {
    // home.run starts it in this folder.
    const evil = join(home.folder, "evil.cjs");
    const sign = join(home.folder, "evil-ran");
    writeFileSync(evil, `require("node:fs").writeFileSync(${JSON.stringify(sign)}, "");`);
    writeFileSync(join(home.folder, "bunfig.toml"), `preload = ["${evil}"]\n[run]\npreload = ["${evil}"]\n`);
    const variables = `KUBECTL_OIDC_ISSUER_URL=https://evil.example\nNODE_TLS_REJECT_UNAUTHORIZED=0\nHTTPS_PROXY=http://127.0.0.1:9\nXDG_DATA_HOME=${home.folder}/evil-data\n`;
    for (const name of [".env", ".env.local", ".env.production", ".env.development"]) writeFileSync(join(home.folder, name), variables);
    const login = await runWithBrowser(home, session());
    expect(login.status, login.stderr).toBe(0);
    expect((await home.run(session())).status).toBe(0);
    expect((await home.run(["get-token"])).stderr).toContain("SETTINGS_INCOMPLETE");
    expect(readdirSync(home.folder).filter((name) => name.startsWith("evil"))).toEqual(["evil.cjs"]);
    // The file itself would have left its sign.
    await home.run(["version"], { BUN_OPTIONS: `--preload ${evil}` });
    expect(readdirSync(home.folder)).toContain("evil-ran");
  });

  it("is not steered by NODE_OPTIONS or NODE_PATH", async () => {
    const evil = join(home.folder, "evil.cjs");
    writeFileSync(evil, `require("node:fs").writeFileSync(${JSON.stringify(join(home.folder, "evil-ran"))}, "");`);
    mkdirSync(join(home.folder, "modules", "yaml"), { recursive: true });
    writeFileSync(join(home.folder, "modules", "yaml", "index.js"), `require(${JSON.stringify(evil)});`);
    await home.run(["status"], { NODE_OPTIONS: `--require ${evil}`, NODE_PATH: join(home.folder, "modules") });
    expect(readdirSync(home.folder)).not.toContain("evil-ran");
  });

  it("shares sessions, locks and remembered calls with the npm program: a crowd of both makes one refresh", async () => {
    await runWithBrowser(home, session());
    ageToken();
    const before = issuer.count("/token");
    const args = session("--non-interactive");
    const [node = "", ...nodeArgs] = npmProgram;
    const tokens = await Promise.all(
      Array.from({ length: 16 }, async (_, i) => {
        const [file, all] = i % 2 === 0 ? [programPath, args] : [node, [...nodeArgs, ...args]];
        const { stdout } = await execute(file, all, { env: { ...home.env }, cwd: home.folder });
        return JSON.parse(stdout).status.token as string;
      }),
    );
    expect(new Set(tokens).size).toBe(1);
    expect(issuer.count("/token") - before).toBe(1);
  });

  it("a lock that it holds is free for the npm program when it is killed", async () => {
    await runWithBrowser(home, session());
    issuer.play.token = () => "hang";
    const killed = home.start(session("--force-refresh"));
    await expect.poll(() => issuer.count("/token"), { timeout: 10_000 }).toBe(2);
    delete issuer.play.token;
    const [node = "", ...nodeArgs] = npmProgram;
    const waiting = execute(node, [...nodeArgs, ...session("--force-refresh")], { env: { ...home.env } });
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect(JSON.parse((await waiting).stdout).status.token).toBeTruthy();
    expect(issuer.count("/token")).toBe(3);
  });

  it("answers kubectl's completion under the name kubectl_complete-oidc", async () => {
    const link = join(home.folder, "kubectl_complete-oidc");
    symlinkSync(programPath, link);
    const { stdout } = await execute(link, ["vers"], { env: { ...home.env } });
    expect(stdout).toContain("version");
  });
});
