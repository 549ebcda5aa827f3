import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import type { Answer } from "./issuer-answer.ts";

const ok = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const wire = (text: string | Buffer, then: (socket: Socket) => void = () => undefined): Answer => ({
  wire: (socket) => {
    socket.write(text);
    then(socket);
  },
});
const end = (socket: Socket) => void socket.end();
const cut = (socket: Socket) => void socket.destroySoon();

/** Writes `part` again and again, as fast as it is taken, until `most` bytes or for ever. */
const pour =
  (part: string | Buffer, most = Number.POSITIVE_INFINITY) =>
  (socket: Socket) => {
    let sent = 0;
    const more = () => {
      if (socket.destroyed) return;
      if (sent >= most) return void socket.end();
      sent += part.length;
      socket.write(part, more);
    };
    more();
  };

/** One byte at a time: each keeps the connection alive, none brings the end near. */
const drip = (text: string) => (socket: Socket) => {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer);
    else socket.write(text[at++ % text.length] ?? " ");
  }, 40);
  socket.on("close", () => clearInterval(timer));
};

const hundredMegabytes = 104_857_600;
const block = Buffer.alloc(65_536, "x");
const chunk = Buffer.concat([Buffer.from("10000\r\n"), block, Buffer.from("\r\n")]);

/** No answer in time, whatever comes. */
export const hangs = {
  "that never answers": { fate: "never" },
  "that sends a head and no body": wire(`${ok}content-length: 100\r\n\r\n`),
  "that sends half a head": wire(ok),
  "that drips its head, byte by byte": wire("HTTP/1.1 200 OK\r\nx: ", drip("y")),
  "that drips its body, byte by byte": wire(`${ok}content-length: 100000\r\n\r\n{"a":"`, drip("y")),
  "that drips chunks": wire(`${ok}transfer-encoding: chunked\r\n\r\n`, drip("1\r\ny\r\n")),
  "that sends interim answers without end": wire("", pour("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(200))),
} as const satisfies Readonly<Record<string, Answer>>;

/** A connection that ends too early. */
export const cuts = {
  "that resets the connection": { fate: "reset" },
  "that closes without a word": wire("", end),
  "that closes in the middle of the head": wire(ok, end),
  "that closes in the middle of the body": wire(`${ok}content-length: 100\r\n\r\n{"access_token":"x`, end),
  "that closes in the middle of a chunk": wire(`${ok}transfer-encoding: chunked\r\n\r\n64\r\n{"access_token":"x`, end),
  "that closes before the last chunk": wire(`${ok}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`, end),
  "that resets in the middle of the body": wire(`${ok}content-length: 100\r\n\r\n{"access`, cut),
  "that says goodbye after an interim answer": wire("HTTP/1.1 102 Processing\r\n\r\n", end),
} as const satisfies Readonly<Record<string, Answer>>;

/** What is no HTTP, or none that two readers understand alike. */
export const garbage = {
  "that speaks HTTP/0.9": wire("<html>hello</html>", end),
  "that speaks HTTP/2": wire(Buffer.from("000012040000000000000300000064000400100000000600010000", "hex"), end),
  "that sends the preface of HTTP/2": wire("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", end),
  "that speaks SSH, and titles the window": wire("\u001b]0;owned\u0007SSH-2.0-x\r\n\u001b[2J\r\n", end),
  "that answers with a TLS alert": wire(Buffer.from("15030300020228", "hex"), end),
  "that switches protocols": wire("HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n{}"),
  "with the status 999": wire("HTTP/1.1 999 Odd\r\ncontent-length: 2\r\n\r\n{}", end),
  "with the status 000": wire("HTTP/1.1 000 Odd\r\ncontent-length: 2\r\n\r\n{}", end),
  "with the status 042": wire("HTTP/1.1 042 Odd\r\ncontent-length: 2\r\n\r\n{}", end),
  "with a status of four digits": wire("HTTP/1.1 2000 Odd\r\ncontent-length: 2\r\n\r\n{}", end),
  "with two lengths": wire(`${ok}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, end),
  "with a length and chunks": wire(`${ok}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, end),
  "with more body than its length": wire(`${ok}content-length: 2\r\n\r\n{}{"more":1}`, end),
  "with a negative length": wire(`${ok}content-length: -1\r\n\r\n{}`, end),
  "with chunks that are none": wire(`${ok}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`, end),
  "with a chunk of 2^72 bytes": wire(`${ok}transfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n{}\r\n`, end),
  "with a chunk extension of 1 MB": wire(`${ok}transfer-encoding: chunked\r\n\r\n2;x=`, pour(block, 1_048_576)),
  "with a head of 1 MB": wire(`${ok}x: `, pour(block, 1_048_576)),
  "with a head without end": wire(`${ok}x: `, pour(block)),
  "with 10,000 headers": wire(`${ok}${Array.from({ length: 10_000 }, (_, n) => `x-${n}: ${"y".repeat(100)}\r\n`).join("")}\r\n`, end),
  "with NUL in a header": wire(`${ok}x: a\u0000b\r\ncontent-length: 2\r\n\r\n{}`, end),
  "with a bare line feed and a second head": wire(`${ok}x: a\n\ncontent-length: 2\r\n\r\n`, end),
} as const satisfies Readonly<Record<string, Answer>>;

/** More than anybody needs. */
export const floods = {
  "of 100 MB, announced": wire(`${ok}content-length: ${hundredMegabytes}\r\n\r\n`, pour(block, hundredMegabytes)),
  "of 100 MB, in chunks": wire(`${ok}transfer-encoding: chunked\r\n\r\n`, pour(chunk, hundredMegabytes)),
  "of 100 MB, until the connection ends": wire(`${ok}\r\n`, pour(block, hundredMegabytes)),
  "of 100 MB of blanks before the JSON": wire(`${ok}\r\n`, pour(Buffer.alloc(65_536, " "), hundredMegabytes)),
} as const satisfies Readonly<Record<string, Answer>>;

const json = (body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Answer => {
  const bytes = Buffer.from(body);
  const head = Object.entries({ "content-type": "application/json", ...headers, "content-length": String(bytes.length) });
  return wire(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`), bytes]), end);
};

/** A body that says nothing, by HTTP that is in order. */
export const bodies = {
  "of a captive portal": { text: '<!DOCTYPE html><title>Welcome to the hotel \u001b[2J</title><form action="http://10.0.0.1/login">' },
  "of a captive portal that calls itself JSON": json("<!DOCTYPE html><title>Welcome</title>"),
  "that is empty": json(""),
  "that is a list": json('[{"issuer":"x","access_token":"x"}]'),
  "that is null": json("null"),
  "that is a number": json("42"),
  "that is a text": json('"access_token"'),
  "that is true": json("true"),
  "that is an empty object": json("{}"),
  "that has the members in its prototype only": json(
    '{"__proto__":{"issuer":"x","access_token":"x","token_type":"bearer","keys":[],"device_code":"x","user_code":"x","verification_uri":"https://x"}}',
  ),
  "that is nested 100,000 deep": json(`{"issuer":${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
  "that is cut off": json('{"issuer":"https://id.example.com","access_token":"secr'),
  "that is two documents": json('{"access_token":"a"}{"access_token":"b"}'),
  "in UTF-16": json(Buffer.from('\ufeff{"access_token":"x"}', "utf16le"), { "content-type": "application/json; charset=utf-16" }),
  "that is no UTF-8": json(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x80, 0x22])),
  "full of NUL": json(Buffer.alloc(1000)),
  "that is packed, though nobody asked for it": json(gzipSync('{"access_token":"x"}'), { "content-encoding": "gzip" }),
  "that is a bomb of 100 MB in 100 KB": json(gzipSync(Buffer.alloc(hundredMegabytes)), { "content-encoding": "gzip" }),
} as const satisfies Readonly<Record<string, Answer>>;

/** Statuses that are no answer. */
export const statuses = {
  "no content": { status: 204 },
  "not modified": { status: 304 },
  "part of it": { status: 206, json: {} },
  "not found": { status: 404, text: "<h1>404</h1>" },
  "forbidden, with a page": { status: 403, text: "<h1>Blocked by policy</h1>" },
  "a server fault": { status: 500, text: "<h1>500</h1>" },
  "a server fault in JSON": { status: 500, json: { error: "server_error", error_description: "\u001b[31mred" } },
  "a bad gateway": { status: 502, text: "<h1>502</h1>" },
  "busy for a while": { status: 503, text: "", headers: { "retry-after": "5" } },
  "too many requests": { status: 429, text: "" },
  "the network's own login page": { status: 511, text: "<h1>Log in</h1>" },
} as const satisfies Readonly<Record<string, Answer>>;
