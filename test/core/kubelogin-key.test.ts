import { describe, expect, it } from "vitest";
import { kubeloginNames } from "../../src/core/kubelogin-key.ts";
import { kubeloginTakesValue, stanzaWords } from "../../src/core/stanza-words.ts";

const names = (...args: string[]) =>
  kubeloginNames(stanzaWords(["--oidc-issuer-url=https://id.example.com", "--oidc-client-id", "kubernetes", ...args], kubeloginTakesValue), (path) =>
    path.replace("~", "/home/ann"),
  );

/** All digests here were made by Go's encoding/gob and crypto/sha256 from the structs of kubelogin's tags. */
describe("the name of a session in kubelogin's cache", () => {
  it("is the digest of what the stanza says, in each form since v1.31", () => {
    expect(names()).toEqual([
      "7d345649dcc2ba718588302cefdc067001a497ba39442fa8d98f1bd62c968cf6",
      "31d3ab27a1c9600a8736daf3d3de5a97c0f4a2263a6236d213bb160d25a945f1",
      "d817382edebfc88fdd3f253355d05970cdfa8c426caf176d390239000a22f85f",
      "b0eae9419ec30e193e70fb8ae12535a44b90694a1487b8eadb62bd05a3149da9",
      "6c9198aeb5cae3985ecce5caa17a804886eb2060ef1bc1823df124e4c2819502",
    ]);
  });

  const full = [
    "--oidc-client-secret=geheim-ü",
    "--oidc-extra-scope=groups,email",
    "--oidc-pkce-method=S256",
    "--oidc-use-access-token",
    "--oidc-redirect-url=http://localhost:8000/cb",
    "--certificate-authority=~/ca.pem",
    "--certificate-authority-data=QUJD",
    "--insecure-skip-tls-verify",
    "--tls-renegotiation-once",
    "--oidc-auth-request-extra-params=prompt=consent",
  ];

  it("tells every option apart that it is made of", () => {
    expect(names(...full)).toEqual(
      expect.arrayContaining([
        "abcccfdf67a8a0d7b7cb8eb6e85a2cf776ec3228ccb3df18ca83bc26458dffdf",
        "6b2299e6e5d1022658201d84190ac8b513bfcb8d36eeb0c82b1e850fc2896b43",
        "e4bd129e205a763d220989b7fe665a68fe7293dd9d42acac505e00f3050a9842",
      ]),
    );
    for (const [at, option] of full.entries()) {
      if (option.includes("extra-params")) continue;
      const without = names(...full.toSpliced(at, 1));
      // Two of the options are no part of the older forms.
      expect(names(...full).filter((name) => without.includes(name)).length, option).toBe(option.includes("redirect-url") ? 2 : 0);
    }
  });

  it("with headers is that of the forms that know headers, and of no other", () => {
    expect(names(...full, "--oidc-request-header=x-key=v")).toEqual([
      "4a74ed598f9ee115f7c573221ce20f51bce710f792f18ab7020fa8c060c3e7ae",
      "ec3721d066696b7c39de865d06579ffab5a40a4f4d0a275e82577dae75f3301d",
    ]);
  });

  it("has a password's user in it, and certificates of any length", () => {
    expect(names("--username=ann")).toContain("9515c99a09bd3fe64624686059db4ddd05fcb5b16ef1bb8a28f0b9842d0341e6");
    expect(names(`--certificate-authority-data=${"QUJD".repeat(15_000)}`)).toContain("40bf1b1d0b8ef22e90d4bcdd7d4fee284b1f5e44f7a2a16d2af3d8b56a18496d");
  });

  it("may be one of several when there are several headers, since Go writes them in any order", () => {
    const two = names("--oidc-request-header=a=1,b=2", "--oidc-auth-request-extra-params=c=3");
    expect(two).toHaveLength(4);
    expect(new Set(names("--oidc-request-header=b=2", "--oidc-request-header=a=1", "--oidc-auth-request-extra-params=c=3"))).toEqual(new Set(two));
  });

  it.each([
    ["an authority's path that depends on the working folder", "--certificate-authority=ca.pem"],
    ["more than any stanza says", `--certificate-authority-data=${"QUJD".repeat(100_000)}`],
    ["headers that are none", "--oidc-request-header=x"],
    ["more headers than have orders that can be tried", "--oidc-request-header=a=1,b=2,c=3,d=4,e=5"],
  ])("cannot be told from %s", (_, arg) => {
    expect(names(arg)).toEqual([]);
  });
});
