import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";
import { deadline } from "../../src/adapters/deadline.ts";

describe("a deadline", () => {
  it("comes after its time, once, unless it is stopped before", async () => {
    const calls: string[] = [];
    deadline(30, () => calls.push("late"));
    deadline(30, () => calls.push("never"))();
    const stop = deadline(1, () => calls.push("stopped in its last look"));
    setTimeout(stop, 50);
    await new Promise((done) => setTimeout(done, 400));
    expect(calls).toEqual(["late"]);
  });

  it.skipIf(process.platform === "win32")("of a request does not beat an answer that came while the program was stopped", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-deadline-"));
    const program = join(folder, "asks.cjs");
    buildSync({
      stdin: {
        contents: `import { httpsFetch } from "./src/adapters/https-fetch.ts";
          const http = httpsFetch({ caFiles: [], caData: [], insecure: false, env: {}, headers: {}, origin: "", version: "0", log: () => {}, signal: new AbortController().signal, deadlineMs: 800 });
          http.fetch(process.argv[2], { method: "POST", headers: {}, body: "a=b" }).then(async (answer) => console.log(await answer.text()), (error) => console.log(error.message));`,
        resolveDir: resolve(import.meta.dirname, "../.."),
        loader: "ts",
      },
      bundle: true,
      platform: "node",
      format: "cjs",
      outfile: program,
    });
    const server = createServer((request, response) => {
      request.resume().on("end", () => {
        child.kill("SIGSTOP");
        response.end("the answer");
        setTimeout(() => child.kill("SIGCONT"), 1_500);
      });
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const address = server.address();
    const child = spawn(process.execPath, [program, `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    await new Promise((done) => child.once("close", done));
    server.close();
    rmSync(folder, { recursive: true });
    expect(said).toBe("the answer\n");
  });
});
