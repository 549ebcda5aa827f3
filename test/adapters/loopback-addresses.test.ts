import { describe, expect, it } from "vitest";
import { hostsOf } from "../../src/adapters/callback-request.ts";
import { bindTargets, redirectUriFor } from "../../src/adapters/loopback-addresses.ts";

describe("addresses", () => {
  it("localhost means both families; an address means itself [LB-05]", () => {
    expect(bindTargets(["127.0.0.1:8000", "[::1]:9"], undefined)).toEqual([
      { hosts: ["127.0.0.1", "::1"], port: 8000 },
      { hosts: ["127.0.0.1", "::1"], port: 9 },
    ]);
    expect(bindTargets(["127.0.0.1:8000"], "127.0.0.1")).toEqual([{ hosts: ["127.0.0.1"], port: 8000 }]);
    expect(bindTargets(["0.0.0.0:8000"], undefined)).toEqual([{ hosts: ["0.0.0.0"], port: 8000 }]);
  });
  it("the redirect URI is as registered, without an added slash; port 0 is the real one", () => {
    expect(redirectUriFor(undefined, false, 8000)).toBe("http://localhost:8000");
    expect(redirectUriFor(undefined, true, 8000)).toBe("https://localhost:8000");
    expect(redirectUriFor("http://localhost:8000", false, 8000)).toBe("http://localhost:8000");
    expect(redirectUriFor("http://[::1]:0/cb", false, 9)).toBe("http://[::1]:9/cb");
    expect(redirectUriFor("https://login.example.com/cb", false, 9)).toBe("https://login.example.com/cb");
  });
});

/** Something else that has this host's port; it ends with `release`. */

describe("the hosts that are ours", () => {
  it.each([
    [8000, false, undefined, ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"]],
    [80, false, undefined, ["localhost:80", "127.0.0.1:80", "[::1]:80", "localhost", "127.0.0.1", "[::1]"]],
    [80, true, undefined, ["localhost:80", "127.0.0.1:80", "[::1]:80"]],
    [9, false, "http://127.0.0.5:0/cb", ["localhost:9", "127.0.0.1:9", "[::1]:9", "127.0.0.5:9", "127.0.0.5:0"]],
    // A container's port 18000, which the host maps to its 8000.
    [18000, false, "http://localhost:8000", ["localhost:18000", "127.0.0.1:18000", "[::1]:18000", "localhost:8000"]],
  ])("of port %i, secure %s, redirect URL %s are %j", (port, isSecure, configured, hosts) =>
    expect(hostsOf(port, isSecure, configured === undefined ? undefined : new URL(configured))).toEqual(hosts),
  );
});
