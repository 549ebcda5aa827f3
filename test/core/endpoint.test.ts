import { describe, expect, it } from "vitest";
import { endpointFault } from "../../src/core/endpoint.ts";

const secure = "https://id.example.com";
const here = "http://127.0.0.1:5556";

describe("an endpoint of an https issuer", () => {
  it.each([
    "https://id.example.com/token",
    "https://oauth2.googleapis.com/token",
    "https://id.example.com:8443/token?tenant=a",
    // Private addresses are where a company's issuer lies; the certificate says who is there.
    "https://10.1.2.3/token",
    "https://localhost/token",
    "https://[::1]/token",
    "HTTPS://ID.EXAMPLE.COM/token",
  ])("may be %s, on whatever host [NW-05]", (url) => expect(endpointFault(url, secure)).toBeUndefined());

  it.each<[string, unknown, string]>([
    ["plain http", "http://id.example.com/token", "plain http"],
    ["plain http on this computer", "http://127.0.0.1/token", "plain http"],
    ["a cloud's metadata address", "http://169.254.169.254/latest/meta-data/", "plain http"],
    ["a file", "file:///etc/passwd", "scheme is file:"],
    ["a script", "javascript:alert(1)", "scheme is javascript:"],
    ["data", "data:text/html,x", "scheme is data:"],
    ["FTP", "ftp://id.example.com/", "scheme is ftp:"],
    ["a blob", "blob:https://id.example.com/1", "scheme is blob:"],
    ["a URL with name and password", "https://ann:hunter2@id.example.com/token", "user name"],
    ["a URL with a name", "https://ann@id.example.com/token", "user name"],
    ["half a URL", "https://[", "not a URL"],
    ["a URL without a scheme", "//id.example.com/token", "not a URL"],
    ["a path", "/token", "not a URL"],
    ["an empty text", "", "not a URL"],
    ["a URL that clears the screen", "https://id.example.com/\u001b[2J", "characters"],
    ["a URL with a line break", "https://id.example.com/\ntoken", "characters"],
    ["a URL that is read backwards", "https://id.example.com/\u202etoken", "characters"],
    ["a URL of 8 KB", `https://id.example.com/${"x".repeat(8192)}`, "too long"],
    ["a list", ["https://id.example.com/token"], "not a text"],
    ["an object", { href: "https://id.example.com/token" }, "not a text"],
    ["a number", 42, "not a text"],
    ["null", null, "not a text"],
    ["true", true, "not a text"],
  ])("is never %s [NW-01, RP-94]", (_, value, reason) => {
    expect(endpointFault(value, secure)).toContain(reason);
    expect(endpointFault(value, secure)).not.toContain("hunter2");
  });
});

describe("an endpoint of an http issuer on this computer", () => {
  it.each(["http://127.0.0.1:5556/token", "http://localhost:1/token", "http://[::1]/token", "https://id.example.com/token"])("may be %s", (url) =>
    expect(endpointFault(url, here)).toBeUndefined(),
  );
  it.each(["http://id.example.com/token", "http://169.254.169.254/", "http://127.0.0.1.example.com/", "http://10.0.0.1/", "http://0.0.0.0/"])(
    "is never %s: nothing leaves this computer unencrypted [NW-01]",
    (url) => expect(endpointFault(url, here)).toBe("it is plain http"),
  );
});
