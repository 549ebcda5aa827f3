import { fail } from "../errors/oidc-error.ts";
import type { OptionName } from "./flag-table.ts";
import type { RawOptions } from "./option-values.ts";

/** How a client proves itself at the token endpoint (OpenID Connect Core 9, RFC 7523, RFC 8705), as far as its options and files say. */
export type ClientProof =
  | { readonly method: "none" | "client_secret" }
  /** `algorithms`: those that the key can sign with. `certificateExpiresAt`: of a certificate beside it. */
  | { readonly method: "private_key_jwt"; readonly algorithms: readonly string[]; readonly certificateExpiresAt?: number | undefined }
  /** With a certificate of an authority, or one of its own (`self_signed_tls_client_auth`): the issuer's registration says which. */
  | { readonly method: "tls_client_auth"; readonly expiresAt: number };

/** The two of RFC 8705, section 2. */
export const tlsMethods: readonly string[] = ["tls_client_auth", "self_signed_tls_client_auth"];

/**
 * With a key and a certificate the key proves who asks, and the certificate binds what is given (RFC 8705, section 3): unless the issuer's
 * `token_endpoint_auth_methods_supported` know certificates and no keys. The key then signs requests only.
 */
export function isKeyForRequestsOnly(methods: unknown): boolean {
  return Array.isArray(methods) && !methods.includes("private_key_jwt") && methods.some((method) => tlsMethods.includes(method));
}

/** What speaks for the client in one way, and not in the other. A certificate goes with each of them: it can stand beside a secret or a key. */
const ways: readonly (readonly OptionName[])[] = [["client-key-file", "client-key-id"], ["oidc-client-secret-file"], ["oidc-client-secret"]];

/**
 * The options without those of a way that a stronger source replaces by another one: who types a key means that, whatever secret a profile has.
 * `strength`: of an option's source, less is stronger; undefined for an option that no source has.
 */
export function withoutWeakerProof(raw: RawOptions, strength: (name: OptionName) => number | undefined): RawOptions {
  const isGiven = (name: OptionName) => (raw[name] ?? []).length > 0;
  const strengths = ways.map((names) => Math.min(...names.filter(isGiven).map((name) => strength(name) ?? Number.POSITIVE_INFINITY)));
  const strongest = Math.min(...strengths);
  const weaker = ways.flatMap((names, i) => ((strengths[i] ?? 0) > strongest ? names : []));
  return Object.fromEntries(Object.entries(raw).filter(([name]) => !weaker.some((one) => one === name)));
}

/** FLAG_CONFLICT for a key beside a secret, and for half of a certificate with its key. */
export function checkClientProof(text: (name: OptionName) => string | undefined): void {
  const secret = (["oidc-client-secret-file", "oidc-client-secret"] as const).find((name) => text(name) !== undefined);
  if (text("client-key-file") !== undefined && secret !== undefined)
    fail("FLAG_CONFLICT", { message: `--client-key-file and --${secret} contradict each other`, hint: "a client proves itself with its key or with its secret: leave one out" });
  if ((text("client-certificate") === undefined) !== (text("client-key") === undefined))
    fail("FLAG_CONFLICT", { message: "--client-certificate and --client-key are needed together", hint: "give both options or none" });
}
