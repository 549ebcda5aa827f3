import { createHmac, randomBytes } from "node:crypto";
import { chmodSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CachedIssuer, issuerCache, issuerCacheLife } from "../../src/adapters/issuer-cache.ts";
import { privateFiles } from "../../src/adapters/private-files.ts";

const issuer = "https://id.example.com";
const now = 1_800_000_000_000;
const key = randomBytes(32).toString("base64url");
const entry: CachedIssuer = { metadata: { issuer, token_endpoint: `${issuer}/token` }, fetchedAt: now, jwks: { keys: [{ kty: "EC" }] }, jwksAt: now };

let folder: string;
let file: string;
const cache = (more: { key?: string | undefined; name?: string } = {}) => {
  const made = issuerCache(privateFiles(folder), more.name ?? "n");
  const secret = "key" in more ? more.key : key;
  if (secret !== undefined) made.unlock(secret);
  return made;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-issuers-"));
  file = join(folder, "issuers", "n.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("what was learned of an issuer", () => {
  it("is read again under the key of the session [NW-09]", () => {
    cache().write(entry);
    expect(cache().read(issuer, now + 1)).toEqual(entry);
    expect(readFileSync(file, "utf8")).not.toContain(key);
  });

  it("is nothing without a key, nor under another session's, nor under another name [NW-09]", () => {
    cache().write(entry);
    expect(cache({ key: undefined }).read(issuer, now)).toBeUndefined();
    expect(cache({ key: randomBytes(32).toString("base64url") }).read(issuer, now)).toBeUndefined();
    writeFileSync(join(folder, "issuers", "m.json"), readFileSync(file), { mode: 0o600 });
    expect(cache({ name: "m" }).read(issuer, now)).toBeUndefined();
  });
  it("has the roots of its connections, as far as they are texts", () => {
    cache().write({ ...entry, roots: ["pem"] });
    expect(cache().read(issuer, now)?.roots).toEqual(["pem"]);
    cache().write({ ...entry, roots: ["pem", 1, null] as unknown as string[] });
    expect(cache().read(issuer, now)?.roots).toEqual(["pem"]);
    cache().write({ ...entry, roots: "pem" as unknown as string[] });
    expect(cache().read(issuer, now)).toEqual(entry);
  });

  it("is not kept without a key: a login and a machine's grant ask the issuer", () => {
    cache({ key: undefined }).write(entry);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is nothing when somebody planted it: a file of ours out of an unpacked archive [NW-09]", () => {
    cache().write(entry);
    const planted = JSON.stringify({ ...entry, metadata: { issuer, token_endpoint: "https://evil.example/token" }, jwks: { keys: [{ kty: "EC", kid: "evil" }] } });
    const seal = (secret: string) => createHmac("sha256", secret).update(`kubectl-oidc issuer cache\nn\n${planted}`).digest("base64url");
    const [ownSeal = ""] = readFileSync(file, "utf8").split("\n");
    for (const text of [
      planted,
      `\n${planted}`,
      `${ownSeal}\n${planted}`,
      `${seal("")}\n${planted}`,
      `${seal("guess")}\n${planted}`,
      `${ownSeal}\n`,
      ownSeal,
      "",
      "\u0000",
      "[".repeat(100_000),
    ]) {
      writeFileSync(file, text, { mode: 0o600 });
      expect(cache().read(issuer, now), text.slice(0, 40)).toBeUndefined();
    }
  });

  it.each<[string, () => void]>([
    ["can be read by others", () => chmodSync(file, 0o644)],
    ["is a link", () => linkTo(symlinkSync)],
    ["has a second name", () => linkTo(linkSync)],
    ["is larger than any of ours", () => writeFileSync(file, `${readFileSync(file, "utf8")}${" ".repeat(1 << 20)}`)],
  ])("is nothing when its file %s [NW-09]", (_, spoil) => {
    cache().write(entry);
    spoil();
    expect(cache().read(issuer, now)).toBeUndefined();
  });

  it("is nothing of another issuer, six hours later, or after the clock was set back [NW-09]", () => {
    cache().write(entry);
    expect(cache().read("https://id.example.com/", now)).toBeUndefined();
    expect(cache().read(issuer, now + issuerCacheLife - 1)).toBeDefined();
    expect(cache().read(issuer, now + issuerCacheLife)).toBeUndefined();
    expect(cache().read(issuer, now - 1)).toBeUndefined();
  });
  it("has no keys any more when those are older than the rest", () => {
    cache().write({ ...entry, jwksAt: now - issuerCacheLife });
    expect(cache().read(issuer, now)).toMatchObject({ metadata: entry.metadata, jwks: undefined });
  });
  it("costs nothing but time where it cannot be written", () => {
    writeFileSync(join(folder, "issuers"), "a file where the folder belongs");
    expect(() => cache().write(entry)).not.toThrow();
    expect(cache().read(issuer, now)).toBeUndefined();
  });
});

function linkTo(link: (target: string, path: string) => void): void {
  const elsewhere = join(folder, "elsewhere.json");
  writeFileSync(elsewhere, readFileSync(file), { mode: 0o600 });
  unlinkSync(file);
  link(elsewhere, file);
}
