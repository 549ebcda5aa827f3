import { describe, expect, it } from "vitest";
import { bypassesProxy, proxyFor } from "../../src/adapters/proxy.ts";
import { codeOf } from "../fakes/codes.ts";

describe("NO_PROXY, as Go reads it", () => {
  it.each([
    ["*", "https://id.example.com", true],
    ["example.com", "https://example.com", true],
    ["example.com", "https://id.example.com", true],
    ["example.com", "https://notexample.com", false],
    [".example.com", "https://id.example.com", true],
    [".example.com", "https://example.com", false],
    ["*.example.com", "https://id.example.com", true],
    ["EXAMPLE.com", "https://id.example.COM", true],
    ["example.com:8443", "https://example.com:8443", true],
    ["example.com:8443", "https://example.com", false],
    ["example.com:443", "https://example.com", true],
    ["other.com, example.com", "https://example.com", true],
    ["10.0.0.0/8", "https://10.1.2.3", true],
    ["10.0.0.0/8", "https://11.1.2.3", false],
    ["10.0.0.0/8", "https://ten.example.com", false],
    ["fd00::/8", "https://[fd12::1]:6443", true],
    ["fd00::/8", "https://[fe80::1]", false],
    ["192.168.1.7", "https://192.168.1.7", true],
    ["192.168.1.7:6443", "https://192.168.1.7:6443", true],
    ["[::2]:443", "https://[::2]", true],
    ["2001:db8::1", "https://[2001:db8::1]", true],
    ["10.0.0.0/99", "https://10.1.2.3", false],
    ["", "https://id.example.com", false],
    ["", "https://localhost:8443", true],
    ["", "https://127.0.0.1", true],
    ["", "https://[::1]", true],
  ])("%j, %s: %s", (noProxy, url, expected) => {
    expect(bypassesProxy(noProxy, new URL(url))).toBe(expected);
  });
});

describe("the proxy of a request", () => {
  const https = new URL("https://id.example.com");
  it("is HTTPS_PROXY for https, HTTP_PROXY for http, in either case", () => {
    expect(proxyFor(https, { HTTPS_PROXY: "http://proxy:3128" })?.href).toBe("http://proxy:3128/");
    expect(proxyFor(https, { https_proxy: "proxy:3128" })?.href).toBe("http://proxy:3128/");
    expect(proxyFor(https, { HTTP_PROXY: "http://proxy:3128" })).toBeUndefined();
    expect(proxyFor(new URL("http://id.example.com"), { HTTP_PROXY: "http://proxy:3128" })?.host).toBe("proxy:3128");
    expect(proxyFor(https, { HTTPS_PROXY: "" })).toBeUndefined();
  });
  it("is none for what NO_PROXY names", () => expect(proxyFor(https, { HTTPS_PROXY: "http://proxy:3128", NO_PROXY: ".example.com" })).toBeUndefined());
  it("ignores HTTP_PROXY inside a CGI (httpoxy)", () => expect(proxyFor(new URL("http://id.example.com"), { HTTP_PROXY: "http://evil", REQUEST_METHOD: "GET" })).toBeUndefined());
  it.each(["socks5://proxy:1080", "http://", "::"])("%s is refused by name, without its user info", (value) => {
    expect(codeOf(() => proxyFor(https, { HTTPS_PROXY: value }))).toBe("SETTINGS_INVALID");
    expect(() => proxyFor(https, { HTTPS_PROXY: "socks5://user:hunter2@proxy" })).toThrow(/^(?!.*hunter2)/);
  });
});
