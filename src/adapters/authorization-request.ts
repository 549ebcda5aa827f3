import * as client from "openid-client";
import { fail } from "../errors/oidc-error.ts";
import { withNames } from "./client-authentication.ts";
import type { IssuerConnection } from "./issuer-connection.ts";
import type { ProviderOptions } from "./provider-options.ts";

/** Seconds that a signed request is good for: a person may copy its URL to another computer first. FAPI allows an hour. */
const signedLife = 600;

/** What the browser is sent to. */
export interface AuthorizationUrl {
  readonly href: string;
  /** Seconds after which the issuer does not know the request any more; undefined: all of it is in the URL. */
  readonly expiresIn: number | undefined;
}

/**
 * The authorization request in the form that this issuer takes: in the URL, signed by the client (RFC 9101), or pushed to the issuer beforehand
 * (RFC 9126), so that the URL holds a reference only. `proof`: of the session's key, for a pushed one. GRANT_UNSUPPORTED when it is to be pushed and the issuer takes none; SETTINGS_INCOMPLETE
 * without the key for a signature.
 */
export async function authorizationUrl(
  connection: IssuerConnection,
  parameters: URLSearchParams,
  options: ProviderOptions,
  host: string,
  proof: () => Promise<Pick<client.DPoPOptions, "DPoP"> | undefined>,
): Promise<AuthorizationUrl> {
  const { config } = connection;
  const metadata = config.serverMetadata();
  const mustPush = metadata.require_pushed_authorization_requests === true;
  const pushes = options.par === "always" || (mustPush && options.par !== "never");
  if (pushes && metadata.pushed_authorization_request_endpoint === undefined)
    fail("GRANT_UNSUPPORTED", { message: `${host} takes no pushed authorization requests`, hint: mustPush ? "ask the issuer's administrator for it" : "leave --par=always out" });
  const request = metadata["require_signed_request_object"] === true ? await signed(connection, parameters, options, host) : parameters;
  if (!pushes) return { href: client.buildAuthorizationUrl(config, request).href, expiresIn: undefined };
  const { href } = await client.buildAuthorizationUrlWithPAR(config, request, await proof());
  return { href, expiresIn: connection.pushedLife };
}

async function signed({ config }: IssuerConnection, parameters: URLSearchParams, { clientKey }: ProviderOptions, host: string): Promise<URLSearchParams> {
  if (clientKey === undefined)
    return fail("SETTINGS_INCOMPLETE", {
      message: `${host} takes only authorization requests that the client has signed, and no key is set`,
      hint: "add --client-key-file=FILE with the client's private key",
    });
  const signer = await clientKey.signer(config.serverMetadata()["request_object_signing_alg_values_supported"]);
  const named = withNames(signer);
  const url = await client.buildAuthorizationUrlWithJAR(config, parameters, signer.key, {
    [client.modifyAssertion](header, claims) {
      named(header, claims);
      claims["exp"] = Math.floor(Date.now() / 1000) + signedLife;
    },
  });
  // The endpoint's own query is not part of the request.
  return new URLSearchParams({ request: url.searchParams.get("request") ?? "" });
}
