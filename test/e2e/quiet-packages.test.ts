import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { errorCode } from "./program.ts";
import { home, session, useStage } from "./stage.ts";

useStage();

it("DEBUG makes no package print the proxy's password, or anything else [SE-02, SE-05]", async () => {
  const proxy = http.createServer();
  proxy.on("connect", (_, socket) => socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
  await new Promise<void>((listening) => proxy.listen(0, "127.0.0.1", listening));
  try {
    const { port } = proxy.address() as AddressInfo;
    const env = { DEBUG: "*", DEBUG_DEPTH: "9", HTTPS_PROXY: `http://me:proxy-password@127.0.0.1:${port}` };
    const ended = await home.run([...session(), "--oidc-issuer-url=https://id.example.com"], env);
    expect(errorCode(ended)).toBe("ISSUER_UNREACHABLE");
    expect(ended.stderr).not.toContain("proxy-password");
    expect(ended.stderr.split("\n").filter((line) => line !== "" && !line.startsWith("kubectl-oidc: "))).toEqual([]);
  } finally {
    proxy.close();
  }
});
