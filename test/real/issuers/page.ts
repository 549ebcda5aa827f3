import { spawn } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { programPath } from "../../e2e/program.ts";
import type { Caller } from "./caller.ts";
import type { RealIssuer } from "./real-issuer.ts";

interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const browserProgram = resolve(import.meta.dirname, "../../../dist-dev/browser-command.mjs");

/** Runs a block of a how-to page under `bash -euo pipefail`, as alice would: `kubectl oidc` is on her PATH, and her own file names what is this machine's. `first`: a folder before the PATH. `more`: further variables. */
export function runPage(caller: Caller, issuer: RealIssuer, block: string, first?: string, more: Readonly<Record<string, string>> = {}): Promise<Said> {
  const { home } = caller;
  const bin = join(home.folder, "bin");
  if (!existsSync(bin)) {
    mkdirSync(bin);
    symlinkSync(programPath, join(bin, "kubectl-oidc"));
    mkdirSync(home.config, { recursive: true, mode: 0o700 });
    const defaults = {
      "token-cache-storage": "disk",
      "listen-address": issuer.ports.map((port) => `127.0.0.1:${port}`),
      "certificate-authority": [join(home.folder, "issuer-ca.pem")],
      "browser-command": `'${process.execPath}' '${browserProgram}'`,
      "authentication-timeout-sec": 30,
    };
    writeFileSync(join(home.config, "config.yaml"), JSON.stringify({ defaults }), { mode: 0o600 });
  }
  const person = {
    DEMO_CA_FILE: join(home.folder, "issuer-ca.pem"),
    DEMO_ACCOUNT: issuer.alice.account,
    DEMO_PASSWORD: issuer.alice.password,
    DEMO_ORIGINS: (issuer.pages ?? []).join(","),
  };
  const env = { ...home.env, PATH: [bin, first, home.env["PATH"]].filter(Boolean).join(":"), ...person, ...more };
  const child = spawn("bash", ["-euo", "pipefail", "-c", issuer.filled(block)], { cwd: home.folder, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      said[name] += chunk;
    });
  }
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), 60_000);
  return new Promise((done, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      clearTimeout(timer);
      done({ status, ...said });
    });
  });
}
