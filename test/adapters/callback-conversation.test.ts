import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CallbackConversation, callbackConversation } from "../../src/adapters/callback-conversation.ts";
import { hostsOf } from "../../src/adapters/callback-request.ts";
import { ask, never, ok, state, theAnswer } from "./callback-stage.ts";

/** A server that stays open, so that what comes after the outcome can be looked at. */
let port: number;
let server: ReturnType<typeof createServer>;
let conversation: CallbackConversation;
function start(openAfter: string | undefined) {
  conversation = callbackConversation((local) => ({ state, path: "/", hosts: hostsOf(local, false, undefined), formPost: false }), openAfter);
  server.on("request", conversation.handle);
}
beforeEach(async () => {
  server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  port = (server.address() as AddressInfo).port;
});
afterEach(() => new Promise((done) => server.close(done)));

async function tellFirst(page: Parameters<CallbackConversation["tell"]>[0]): Promise<number> {
  const first = ask(port, theAnswer);
  await conversation.next(never);
  await conversation.tell(page);
  return (await first).status;
}

describe("an answer that comes again after the outcome", () => {
  it.each([undefined, "https://intranet.example.com/welcome"])("of a login that succeeded is already used, whatever page follows a login (%s) [LB-07]", async (openAfter) => {
    start(openAfter);
    expect(await tellFirst(ok)).toBe(openAfter === undefined ? 200 : 302);
    const again = await ask(port, theAnswer);
    expect(again).toMatchObject({ status: 400, body: expect.stringContaining("<title>Already used – kubectl-oidc</title>") });
    expect(again.body).not.toContain("ann");
  });

  it("of a login that failed shows why, once more", async () => {
    start(undefined);
    const failed = { ok: false, issuer: "https://id.example.com", code: "LOGIN_DENIED", message: "the login was denied" };
    expect(await tellFirst(failed)).toBe(400);
    expect(await ask(port, theAnswer)).toMatchObject({ status: 400, body: expect.stringContaining("LOGIN_DENIED") });
  });

  it("of another login is refused as before", async () => {
    start(undefined);
    await tellFirst(ok);
    expect((await ask(port, "/?code=c&state=other")).body).toContain("Not this login");
    expect((await ask(port, "/favicon.ico")).status).toBe(404);
  });
});
