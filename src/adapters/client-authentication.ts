import * as client from "openid-client";
import { isKeyForRequestsOnly } from "../core/client-proof.ts";
import type { Signer } from "./client-key.ts";
import type { ProviderOptions } from "./provider-options.ts";

/** Seconds that an issuer's clock may be behind ours: one that checks `nbf` and `iat` to the second would refuse what was signed just now (protocol.md K-03). */
const slowClock = 30;

/**
 * How this client proves itself at an issuer's endpoints: by its key, which needs no secret to travel (RFC 9700, section 2.5), else by its secret,
 * else by the certificate of its connections, or not at all. RFC 6749 2.3.1 prefers Basic, and discovery's default is Basic when the document is silent.
 */
export function clientAuthentication({ clientKey, clientSecret, usesCertificate }: ProviderOptions, metadata: Readonly<Record<string, unknown>>): client.ClientAuth {
  const methods = metadata["token_endpoint_auth_methods_supported"];
  if (clientKey !== undefined && !(usesCertificate === true && isKeyForRequestsOnly(methods))) {
    const signer = clientKey.signer(metadata["token_endpoint_auth_signing_alg_values_supported"]);
    // Said by the first request.
    signer.catch(() => undefined);
    return async (...request) => assertion(await signer)(...request);
  }
  if (clientSecret === undefined) return usesCertificate === true ? client.TlsClientAuth() : client.None();
  const basic = !Array.isArray(methods) || methods.includes("client_secret_basic");
  return basic ? client.ClientSecretBasic(clientSecret.reveal()) : client.ClientSecretPost(clientSecret.reveal());
}

/** The audience is the issuer, as a text: one assertion must not serve at another's endpoint (RFC 7523bis). */
const assertion = (signer: Signer): client.ClientAuth => client.PrivateKeyJwt(signer.key, { [client.modifyAssertion]: withNames(signer) });

/** Names the key in the header, and gives slow clocks their time. */
export function withNames({ header }: Signer): client.ModifyAssertionFunction {
  return (made, claims) => {
    Object.assign(made, header);
    for (const name of ["iat", "nbf"]) claims[name] = Math.floor(Date.now() / 1000) - slowClock;
  };
}
