import { describe, expect, it } from "vitest";
import { clientAuthentication } from "../../src/adapters/client-authentication.ts";
import type { ClientKey } from "../../src/adapters/client-key.ts";
import type { ProviderOptions } from "../../src/adapters/provider-options.ts";
import { secret } from "../../src/core/secret.ts";

const keys = crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
const clientKey: ClientKey = { algorithms: ["ES256"], signer: async () => ({ key: (await keys).privateKey, header: { alg: "ES256" } }) };
const clientSecret = secret("a-secret-of-the-client");

/** What a request carries of the client. */
async function proofOf(options: Partial<ProviderOptions>, methods?: unknown): Promise<string> {
  const authenticate = clientAuthentication(options as ProviderOptions, { token_endpoint_auth_methods_supported: methods });
  const [body, headers] = [new URLSearchParams(), new Headers()];
  await authenticate({ issuer: "https://id.example.com" }, { client_id: "machine" }, body, headers);
  const inHeader = headers.get("authorization")?.split(" ")[0];
  return [...(inHeader === undefined ? [] : [inHeader]), ...body.keys()].join(" ");
}

const assertion = "client_id client_assertion_type client_assertion";

describe("a client proves itself", () => {
  it.each<[string, Partial<ProviderOptions>, unknown, string]>([
    ["not at all without anything", {}, ["none"], "client_id"],
    ["by its connection with a certificate", { usesCertificate: true }, ["tls_client_auth"], "client_id"],
    ["by its key", { clientKey }, ["private_key_jwt"], assertion],
    ["by its key where the issuer lists no such method", { clientKey }, ["client_secret_basic"], assertion],
    ["by its key where the issuer lists nothing", { clientKey }, undefined, assertion],
    ["by its key, with a certificate beside it", { clientKey, usesCertificate: true }, ["private_key_jwt", "tls_client_auth"], assertion],
    ["by its certificate where keys prove nothing, and the key is for requests", { clientKey, usesCertificate: true }, ["tls_client_auth"], "client_id"],
    ["by its key where a certificate is listed that it does not have", { clientKey }, ["tls_client_auth"], assertion],
    ["by its secret, in the header", { clientSecret }, undefined, "Basic"],
    ["by its secret, in the header, with a certificate beside it", { clientSecret, usesCertificate: true }, ["client_secret_basic"], "Basic"],
    ["by its secret, in the body where the issuer wants that", { clientSecret }, ["client_secret_post"], "client_id client_secret"],
  ])("%s [B-06]", async (_, options, methods, carried) => expect(await proofOf(options, methods)).toBe(carried));
});
