// What Node itself costs a refresh: one request, a verified signature, and three writes that outlive a power cut, by a script without options, locks, a cache
// of discovery, or a library. HOME/bare holds the token endpoint, its authority, the key and the refresh token.
const http = require("node:http");
const fs = require("node:fs");
const { join } = require("node:path");

// Every program that speaks to an issuer loads both.
require("node:crypto");
const https = require("node:https");

const folder = join(process.env.HOME, "bare");
const read = (name) => fs.readFileSync(join(folder, name), "utf8");

function writeDurably(name, text) {
  const temporary = join(folder, `${name}.tmp`);
  const fd = fs.openSync(temporary, "w", 0o600);
  fs.writeSync(fd, text);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  fs.renameSync(temporary, join(folder, name));
  const directory = fs.openSync(folder, "r");
  fs.fsyncSync(directory);
  fs.closeSync(directory);
}

async function judge(body) {
  const { id_token: token, refresh_token: refreshToken } = JSON.parse(body);
  writeDurably("refresh-token", refreshToken);
  const [head, claims, signature] = token.split(".");
  const { subtle } = globalThis.crypto;
  const key = await subtle.importKey("jwk", JSON.parse(read("key")), { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]);
  const isGood = await subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, Buffer.from(signature, "base64url"), Buffer.from(`${head}.${claims}`));
  if (!isGood) process.exit(1);
  writeDurably("judged", refreshToken);
  writeDurably("id-token", token);
  fs.writeSync(1, JSON.stringify({ kind: "ExecCredential", status: { token } }));
  process.exit(0);
}

const form = new URLSearchParams({ grant_type: "refresh_token", client_id: "bench", refresh_token: read("refresh-token") }).toString();
const headers = { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(form) };
const endpoint = read("endpoint");
const isSecure = endpoint.startsWith("https:");
(isSecure ? https : http)
  .request(endpoint, { method: "POST", headers, ...(isSecure ? { ca: read("authority") } : {}) }, (response) => {
    const chunks = [];
    response.on("data", (chunk) => chunks.push(chunk));
    response.on("end", () => judge(Buffer.concat(chunks).toString()));
  })
  .end(form);
