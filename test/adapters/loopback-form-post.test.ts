import { describe, expect, it } from "vitest";
import { ask, listen, never, ok, rawConnection, state, stillWaits, useListeners } from "./callback-stage.ts";

useListeners();

const form = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" } } as const;
const answer = `code=c&state=${state}`;

describe("response_mode=form_post", () => {
  it("that was asked for: the form is the answer, and gets the page when the outcome is known [LB-09]", async () => {
    const listener = await listen({ formPost: true });
    const page = ask(listener.port, "/", form, answer);
    expect(await listener.next(never)).toBe(`?${answer}`);
    await listener.finish(ok);
    expect(await page).toMatchObject({ status: 200, headers: { "cache-control": "no-store" } });
  });
  it("an error comes as a form too [LB-09, RP-44]", async () => {
    const listener = await listen({ formPost: true });
    const page = ask(listener.port, "/", { ...form, headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" } }, `error=access_denied&state=${state}`);
    expect(await listener.next(never)).toBe(`?error=access_denied&state=${state}`);
    await listener.finish({ ok: false, issuer: "https://id.example.com", code: "LOGIN_DENIED", message: "the login was denied" });
    expect((await page).status).toBe(400);
  });
  it("that nobody asked for is refused, and the wait goes on [LB-09]", async () => {
    const listener = await listen();
    expect(await ask(listener.port, "/", form, answer)).toMatchObject({ status: 405, headers: { allow: "GET" } });
    expect((await stillWaits(listener)).status).toBe(200);
  });
  it.each<[string, string, object, string, number]>([
    ["another state", "/", form, "code=c&state=other", 400],
    ["no state", "/", form, "error=access_denied", 400],
    ["the state in the address: form and address are never mixed", `/?state=${state}`, form, "code=c", 400],
    ["another content type", "/", { method: "POST", headers: { "content-type": "text/plain" } }, answer, 400],
    ["no content type", "/", { method: "POST" }, answer, 400],
    ["multipart", "/", { method: "POST", headers: { "content-type": "multipart/form-data; boundary=x" } }, answer, 400],
    ["more than 64 KiB", "/", form, `${answer}&x=${"y".repeat(65_536)}`, 400],
    ["another path", "/other", form, answer, 404],
    ["another host", "/", { ...form, headers: { ...form.headers, host: "evil.example.com" } }, answer, 400],
    ["two codes", "/", form, `${answer}&code=d`, 400],
  ])("with %s is refused, and the wait goes on [LB-02, LB-09]", async (_, path, options, body, status) => {
    const listener = await listen({ formPost: true });
    expect((await ask(listener.port, path, options, body)).status).toBe(status);
    expect((await stillWaits(listener)).status).toBe(200);
  });
  it("that is never sent whole does not hold the end up [LB-08, LB-09]", async () => {
    const listener = await listen({ formPost: true });
    const half = await rawConnection(
      listener.port,
      `POST / HTTP/1.1\r\nhost: localhost:${listener.port}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\ncode=`,
    );
    expect((await stillWaits(listener)).status).toBe(200);
    expect(await half.ended).toBe("");
  });
});
