import { describe, expect, it } from "vitest";
import { proxyFor } from "../../src/adapters/proxy.ts";
import { codeOf } from "../fakes/codes.ts";

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
  it.each(["socks5://proxy:1080", "http://", "::"])("%s is refused", (value) => {
    expect(codeOf(() => proxyFor(https, { HTTPS_PROXY: value }))).toBe("SETTINGS_INVALID");
  });
  it.each([
    ["HTTPS_PROXY", "socks5://ann:hunter2@proxy"],
    ["https_proxy", "http://ann:hunter2@"],
  ])("a bad %s is named as it was written, and nothing of its user info is said", (name, value) => {
    const said = () => proxyFor(https, { [name]: value });
    expect(said).toThrow(name);
    expect(said).toThrow(/^(?!.*(hunter2|ann))/);
  });
  it("a host that NO_PROXY names needs no valid proxy", () => expect(proxyFor(https, { HTTPS_PROXY: "socks5://proxy", NO_PROXY: "*" })).toBeUndefined());
});
