import { describe, expect, it } from "vitest";
import { bypassesProxy } from "../../src/adapters/no-proxy.ts";

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
    ["10.0.0.0/8/8", "https://10.1.2.3", false],
    ["10.0.0.0/x", "https://10.1.2.3", false],
    ["10.0.0.0/8", "https://[::ffff:10.1.2.3]", true],
    ["10.1.2.3", "https://[::ffff:10.1.2.3]", true],
    ["::/0", "https://10.1.2.3", false],
    ["::/0", "https://[2001:db8::1]", true],
    ["0.0.0.0/0", "https://[2001:db8::1]", false],
    ["*example.com", "https://id.example.com", false],
    ["example.com", "https://example.com.", true],
    ["1.2.3", "https://10.1.2.3", false],
    ["[::2]:8443", "https://[::2]", false],
    ["", "https://id.example.com", false],
    ["", "https://localhost:8443", true],
    ["", "https://127.0.0.1", true],
    ["", "https://127.8.9.10", true],
    ["", "https://[::1]", true],
    ["", "https://[::ffff:127.0.0.1]", true],
    ["", "https://localhost.example.com", false],
  ])("%j, %s: %s", (noProxy, url, expected) => {
    expect(bypassesProxy(noProxy, new URL(url))).toBe(expected);
  });
});
