import { connect } from "node:net";
import { judgeCallback } from "../../../src/adapters/callback-request.ts";
import { loopbackServer } from "../../../src/adapters/loopback-server.ts";
import { readPasted } from "../../../src/core/callback.ts";
import { harmIn } from "../../fakes/hostile-texts.ts";
import { mustHold, type Target } from "../target.ts";

const state = "state-0123456789abcdefghijklmnopqrstuvwxyz0";
const code = "AZCQ-0123456789abcdefghij";

export const callbackRequests: Target = {
  name: "callback",
  what: "a callback's method, host and address",
  kind: "text",
  secrets: [code, state],
  seeds: [
    `GET\nlocalhost:8000\n/?code=${code}&state=${state}`,
    `GET\n127.0.0.1:8000\n/?error=access_denied&error_description=x&state=${state}`,
    `GET\n[::1]:8000\n/cb?state=${state}&code=${code}&iss=https%3A%2F%2Fid.example.com`,
    "POST\nevil.example.com\n/?state=other",
  ],
  start: () => ({
    run(input, say) {
      const [method = "", host = "", ...rest] = input.toString().split("\n");
      const expected = { state, path: "/", hosts: ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"], formPost: false };
      const judged = judgeCallback({ method, host, target: rest.join("\n") }, expected);
      if (judged.kind === "refused") {
        for (const text of [judged.title, judged.text]) say(text);
        return judged;
      }
      const parameters = new URLSearchParams(judged.query);
      mustHold(method === "GET" && expected.hosts.includes(host), "an answer by another method or host");
      mustHold(parameters.getAll("state").join("|") === state, "an answer of another login");
      mustHold(
        ["code", "error", "iss"].every((name) => parameters.getAll(name).length <= 1),
        "an answer that names something twice",
      );
      return judged;
    },
  }),
};

export const pastedTexts: Target = {
  name: "paste",
  what: "what a person pastes",
  kind: "text",
  secrets: [],
  seeds: [
    code,
    `http://localhost:8000/?code=${code}&state=${state}`,
    `"?error=access_denied&state=${state}#x"`,
    "%E0%A4%A",
    "<https://id.example.com/authorize?x=y>",
    `a${"'".repeat(60_000)}b`,
  ],
  start: () => ({
    run(input) {
      const read = readPasted(input.toString(), state, "https://id.example.com");
      if (read.kind === "query") mustHold(new URLSearchParams(read.query).getAll("state").join("|") === state, "an answer of another login");
      return read;
    },
  }),
};

const cookie = "cookie-of-another-program-0123456789";

/** The real listener, asked in raw bytes: whatever comes, it answers or hangs up, tells nothing of it, and goes on to wait. */
export const listener: Target = {
  name: "listener",
  what: "what comes to the listener",
  kind: "bytes",
  secrets: [cookie],
  seeds: [
    `GET /?code=x&state=wrong HTTP/1.1\r\nHost: localhost:1\r\nCookie: a=${cookie}\r\n\r\n`,
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nstate",
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 14\r\n\r\ncode=x&state=y",
    "HEAD /favicon.ico HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "GET http://evil.example.com/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "CONNECT evil.example.com:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    Buffer.from("160301004e0100004a0303", "hex"),
  ],
  async start() {
    const server = loopbackServer({ request: 300, lastPage: 100 });
    const options = { certificateFile: undefined, keyFile: undefined, redirectUrl: undefined, openAfter: undefined, formPost: true };
    const listening = await server.listen({ ...options, addresses: ["127.0.0.1:0"], state });
    const port = Number(new URL(listening.redirectUri).port);
    const wait = { isOver: false };
    const stop = new AbortController();
    void listening.next(stop.signal).then(
      () => {
        wait.isOver = true;
      },
      () => undefined,
    );
    return {
      async run(input) {
        const answer = await askRaw(port, input);
        mustHold(!wait.isOver, "a request without our state ended the wait");
        mustHold(answer === "" || answer.startsWith("HTTP/1.1 "), `it says ${JSON.stringify(answer.slice(0, 60))}`);
        mustHold(!/^HTTP\/1\.1 (?:[235]|1(?!00))/.test(answer), `it answers ${JSON.stringify(answer.slice(0, 30))}`);
        mustHold(!answer.includes(cookie.slice(0, 12)), "it gives a request back");
        mustHold(
          answer.split(/\r?\n/).every((line) => harmIn(line).length === 0),
          "it answers with control characters",
        );
      },
      async stop() {
        stop.abort();
        await listening.finish(undefined);
      },
    };
  },
};

function askRaw(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let answer = "";
    socket.setEncoding("utf8").on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
    socket.on("connect", () => socket.end(bytes));
  });
}
