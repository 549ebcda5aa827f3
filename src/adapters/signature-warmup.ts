/** An elliptic curve's public key (RFC 7517, appendix A.1). It is nobody's. */
const someKey = { kty: "EC", crv: "P-256", x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" };

/**
 * The first key and the first signature take WebCrypto four milliseconds, most of them to load it. Done with a key and a signature that mean
 * nothing, at the first moment in which the program only waits: for a keychain, or for the issuer.
 */
export function makeSignaturesReady(): void {
  setImmediate(() => {
    const { subtle } = globalThis.crypto;
    void subtle
      .importKey("jwk", someKey, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"])
      .then((key) => subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, new Uint8Array(64), new Uint8Array(1)))
      .catch(() => undefined);
  }).unref();
}
