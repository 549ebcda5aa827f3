import { describe, expect, it } from "vitest";
import { fetchWith, hello, plain, useStage } from "./fetch-stage.ts";

useStage();

const silent = () => plain(() => undefined);
const asks = { method: "GET", headers: {}, body: undefined, redirect: "manual" } as const;
const spends = { method: "POST", headers: {}, body: "refresh_token=x", redirect: "manual" } as const;

describe("all requests of one flow", () => {
  it("end by its deadline, however many they are: what only asks is cut, what spends a token is not begun [NW-04]", async () => {
    const [port, requests] = [await silent(), { sent: 0 }];
    const counted = await plain(() => void requests.sent++);
    const http = fetchWith({ deadlineMs: 600 });
    const since = performance.now();
    await http.within(1_000, async () => {
      await expect(http.fetch(`http://127.0.0.1:${port}/`, asks)).rejects.toMatchObject({ reason: "no answer in 0.6 s" });
      await expect(http.fetch(`http://127.0.0.1:${counted}/token`, spends)).rejects.toMatchObject({
        code: "ISSUER_UNREACHABLE",
        message: `127.0.0.1:${counted} is too slow`,
        reason: "no time is left for one more request",
      });
    });
    expect(requests.sent, "nothing was spent").toBe(0);
    expect(performance.now() - since).toBeLessThan(5_000);
  });
  it("that spends a token has its whole time, once it is begun", async () => {
    let answer = () => undefined as unknown;
    const port = await plain((_request, response) => {
      answer = () => response.end("rotated");
    });
    const http = fetchWith({ deadlineMs: 5_000 });
    const text = await http.within(5_200, async () => {
      const sent = http.fetch(`http://127.0.0.1:${port}/token`, spends);
      await expect.poll(() => answer() !== undefined).toBe(true);
      return (await sent).text();
    });
    expect(text).toBe("rotated");
  });
  it("leave a second for the keys of an answer that came at the end", async () => {
    const http = fetchWith();
    const port = await plain(hello);
    await http.within(-1, () => expect(http.fetch(`http://127.0.0.1:${port}/`, asks)).rejects.toMatchObject({ reason: "no time is left for one more request" }));
    await http.within(50, async () => expect((await http.fetch(`http://127.0.0.1:${port}/`, asks)).status).toBe(200));
  });
  it("bind no request after the flow, whether it ended well or not", async () => {
    const http = fetchWith();
    const port = await plain(hello);
    await expect(http.within(-1, () => Promise.reject(new Error("ended")))).rejects.toThrow("ended");
    expect((await http.fetch(`http://127.0.0.1:${port}/`, spends)).status).toBe(200);
  });
});
