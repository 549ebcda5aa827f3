import * as client from "openid-client";
import { dpopAlgorithmOf } from "../core/dpop.ts";
import { aliasNames, endpointFault, endpointNames } from "../core/endpoint.ts";
import { withUnsaid } from "../core/issuer-kind.ts";
import { isObject } from "../core/session.ts";
import { shellWord } from "../core/shell-word.ts";
import { openableUrl, safeText, shownUrl } from "../core/untrusted-text.ts";
import { fail } from "../errors/oidc-error.ts";
import type { IssuerFacts } from "../ports.ts";
import { failFrom } from "./openid-faults.ts";

/** What an issuer says about itself. */
export type IssuerMetadata = Readonly<Record<string, unknown>>;

/** Fetches the discovery document. The codes of `failFrom`; ISSUER_MISMATCH naming the other issuer. */
export async function discover(issuer: string, clientId: string, fetch: client.CustomFetch, host: string): Promise<IssuerMetadata> {
  try {
    const config = await client.discovery(new URL(issuer), clientId, undefined, undefined, {
      [client.customFetch]: fetch,
      timeout: 20,
      ...(issuer.startsWith("http:") ? { execute: [client.allowInsecureRequests] } : {}),
    });
    const { supportsPKCE: _, ...metadata } = config.serverMetadata();
    return withUnsaid(metadata);
  } catch (error) {
    const named = issuerNamedBy(error);
    if (named !== undefined) return mismatch(named, issuer);
    return failFrom(error, "discovery", host);
  }
}

/**
 * Judges a document, whether it came from the network or from our cache. Openid-client compares `URL.href`, and not at all for some hosts;
 * we compare the text (protocol.md ID-02). `usesAliases`: the endpoints for clients with a certificate are used. ISSUER_MISMATCH,
 * DISCOVERY_INVALID.
 */
export function checkMetadata(metadata: IssuerMetadata, issuer: string, host: string, usesAliases = false): void {
  if (metadata["issuer"] !== issuer) mismatch(metadata["issuer"], issuer);
  for (const name of endpointNames) {
    if (metadata[name] === undefined) continue;
    const reason = endpointFault(metadata[name], issuer);
    if (reason !== undefined) fail("DISCOVERY_INVALID", { message: `the ${name} of ${host} is not an https URL`, reason });
  }
  for (const name of usesAliases ? aliasNames : []) {
    const alias = aliasesOf(metadata)[name];
    const reason = alias === undefined ? undefined : endpointFault(alias, issuer);
    if (reason !== undefined) fail("DISCOVERY_INVALID", { message: `the ${name} of ${host} for mutual TLS is not an https URL`, reason });
  }
  if (metadata["token_endpoint"] === undefined || metadata["jwks_uri"] === undefined)
    fail("DISCOVERY_INVALID", { message: `the discovery document of ${host} names no token endpoint or no keys` });
}

/** Both as they would be opened, so that look-alike letters show; as they are when only the form differs (a slash). The hint is for pasting. */
function mismatch(named: unknown, configured: string): never {
  const text = typeof named === "string" ? named : "";
  const show = shownUrl(text) === shownUrl(configured) || text === "" ? safeText : shownUrl;
  // Of `common` and `organizations`, Entra ID's document names a pattern and no issuer.
  const isPattern = /[{}]/.test(text);
  const word = openableUrl(text) === undefined || isPattern ? undefined : shellWord(text, process.platform);
  return fail("ISSUER_MISMATCH", {
    message: `the discovery document names the issuer ${text === "" ? safeText(named) : show(text, 200)}, not ${show(configured, 200)}`,
    ...(word === undefined ? {} : { hint: `if that is the right issuer, use --oidc-issuer-url=${word}` }),
    ...(isPattern ? { hint: "that is a pattern: name your own tenant in --oidc-issuer-url, by its ID" } : {}),
  });
}

/** The issuer of a document that the library refused for its issuer. */
function issuerNamedBy(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return isObject(cause) && isObject(cause["body"]) && cause["attribute"] === "issuer" ? cause["body"]["issuer"] : undefined;
}

const aliasesOf = (metadata: IssuerMetadata): IssuerMetadata => (isObject(metadata["mtls_endpoint_aliases"]) ? metadata["mtls_endpoint_aliases"] : {});

/** As the library writes it in a request; of a document that was judged. `usesAliases` as there. */
export function endpoint(metadata: IssuerMetadata, name: (typeof endpointNames)[number], usesAliases = false): string | undefined {
  const alias = usesAliases && aliasNames.some((one) => one === name) ? aliasesOf(metadata)[name] : undefined;
  const value = alias ?? metadata[name];
  return typeof value === "string" ? new URL(value).href : undefined;
}

export function factsOf(metadata: IssuerMetadata, issuer: string): IssuerFacts {
  const scopes = metadata["scopes_supported"];
  const grants = metadata["grant_types_supported"];
  const challenges = metadata["code_challenge_methods_supported"];
  return {
    issuer,
    supportsOffline: Array.isArray(scopes) && scopes.includes("offline_access"),
    supportsDevice: endpoint(metadata, "device_authorization_endpoint") !== undefined,
    supportsRevocation: endpoint(metadata, "revocation_endpoint") !== undefined,
    supportsExchange: Array.isArray(grants) && grants.includes("urn:ietf:params:oauth:grant-type:token-exchange"),
    deniesS256: Array.isArray(challenges) && !challenges.includes("S256"),
    dpopAlgorithm: dpopAlgorithmOf(metadata["dpop_signing_alg_values_supported"]),
    authorizationEndpoint: endpoint(metadata, "authorization_endpoint"),
    endSessionEndpoint: endpoint(metadata, "end_session_endpoint"),
  };
}
