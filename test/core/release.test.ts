import { describe, expect, it } from "vitest";
import { isNewer, isVersion, newestReleaseUrl } from "../../src/core/release.ts";

describe("which version comes after which", () => {
  // semver 2.0.0, section 11, its own row of pre-releases included.
  const inOrder = [
    "0.9.9",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.9.0",
    "1.10.0",
    "2.0.0",
  ];
  it("is told as semver tells it", () => {
    for (const [i, own] of inOrder.entries()) for (const [j, other] of inOrder.entries()) expect(isNewer(other, own), `${other} after ${own}`).toBe(j > i);
  });
  it("is no matter of texts that are no versions", () => {
    for (const text of ["1", "v1.0.0", "1.0.0+build", "1.0.0\u001b[31m", "", "1.0.0-", "9999999999.0.0", 1, null]) expect(isVersion(text), String(text)).toBe(false);
    expect(isNewer("2.0.0", "unknown")).toBe(false);
  });
});

describe("where the newest release is asked for", () => {
  it.each([
    [undefined, "https://registry.npmjs.org/kubectl-oidc/latest"],
    ["", "https://registry.npmjs.org/kubectl-oidc/latest"],
    ["https://nexus.example/repository/npm/", "https://nexus.example/repository/npm/kubectl-oidc/latest"],
    ["https://nexus.example/npm?x=1#y", "https://nexus.example/npm/kubectl-oidc/latest"],
    ["http://127.0.0.1:4873", "http://127.0.0.1:4873/kubectl-oidc/latest"],
    ["http://nexus.example/npm", undefined],
    ["https://ann:secret@nexus.example/npm", undefined],
    ["file:///etc/passwd", undefined],
    ["nexus", undefined],
  ])("%s", (registry, url) => expect(newestReleaseUrl(registry)?.href).toBe(url));
});
