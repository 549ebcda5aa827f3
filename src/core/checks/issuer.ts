import { type ClientProof, isKeyForRequestsOnly, tlsMethods } from "../client-proof.ts";
import { chosenAlgorithm } from "../client-signature.ts";
import { endpointNames } from "../endpoint.ts";
import { takesPublicClients } from "../issuer-kind.ts";
import type { Wish } from "../settings.ts";
import { safeText } from "../untrusted-text.ts";
import { failed, type Outcome, ok, together, warn } from "./outcome.ts";

/** What the issuer says now, asked for without any cache. */
export interface IssuerInspection {
  readonly metadata: Readonly<Record<string, unknown>>;
  /** What the issuer's clock says minus ours, in seconds. */
  readonly clockOffset: number | undefined;
  /** The names of the keys that can verify a signature; undefined when the key set could not be had. */
  readonly keys: readonly (string | undefined)[] | undefined;
  /** Does the token's signature hold under one of these keys? */
  verifies(token: string): boolean;
}

type Metadata = Readonly<Record<string, unknown>>;
const listOf = (value: unknown): readonly string[] | undefined => (Array.isArray(value) ? value.filter((one) => typeof one === "string") : undefined);

/** D-04: of a document that was read and judged. `issuer` is what both call it. */
export function checkDiscovery(issuer: string, metadata: Metadata): Outcome {
  const own = hostOf(issuer);
  const others = [...new Set([...endpointNames, "registration_endpoint", "introspection_endpoint"].map((name) => hostOf(metadata[name])))];
  const elsewhere = others.filter((host) => host !== undefined && host !== own).map((host) => safeText(host, 80));
  return ok(`${safeText(issuer, 120)} is what the issuer calls itself; every endpoint is ${elsewhere.length === 0 ? "there" : `there or at ${elsewhere.join(", ")}`}`);
}

const hostOf = (url: unknown) => (typeof url === "string" && URL.canParse(url) ? new URL(url).host : undefined);

/** What a check needs of the settings. */
export interface Asked {
  readonly grant: string;
  readonly par: Wish;
  readonly clientKeyFile: string | undefined;
}

/** D-05: PKCE, and what a session can use. */
export function checkSupport(metadata: Metadata, { grant, par, clientKeyFile }: Asked): Outcome {
  const outcomes: Outcome[] = [];
  const pkce = listOf(metadata["code_challenge_methods_supported"]);
  if (pkce !== undefined && !pkce.includes("S256"))
    outcomes.push(
      warn(`the issuer does not list the PKCE method S256 (${pkce.map((one) => safeText(one, 20)).join(", ") || "none"})`, "ask the issuer's administrator to allow S256"),
    );
  if (grant === "device-code" && metadata["device_authorization_endpoint"] === undefined)
    outcomes.push(failed("GRANT_UNSUPPORTED", "the issuer has no device authorization", "choose another --grant-type"));
  const mustPush = metadata["require_pushed_authorization_requests"] === true;
  if (mustPush && par === "never") outcomes.push(warn("the issuer demands pushed authorization requests, and --par=never sends none", "leave --par=never out"));
  if ((par === "always" || (mustPush && par === "auto")) && metadata["pushed_authorization_request_endpoint"] === undefined)
    outcomes.push(
      failed("GRANT_UNSUPPORTED", "the issuer takes no pushed authorization requests", mustPush ? "ask the issuer's administrator for its endpoint" : "leave --par=always out"),
    );
  if (metadata["require_signed_request_object"] === true && clientKeyFile === undefined)
    outcomes.push(
      failed("SETTINGS_INCOMPLETE", "the issuer takes only authorization requests that the client has signed", "add --client-key-file=FILE with the client's private key"),
    );
  const scopes = listOf(metadata["scopes_supported"]);
  const has = [
    ["device login", metadata["device_authorization_endpoint"] !== undefined],
    ["revocation", metadata["revocation_endpoint"] !== undefined],
    ["browser logout", metadata["end_session_endpoint"] !== undefined],
    ["offline_access", scopes?.includes("offline_access") === true],
    ["iss in answers", metadata["authorization_response_iss_parameter_supported"] === true],
    ["pushed requests (PAR)", metadata["pushed_authorization_request_endpoint"] !== undefined],
    ["DPoP", metadata["dpop_signing_alg_values_supported"] !== undefined],
  ] as const;
  const yes = has.filter(([, there]) => there).map(([name]) => name);
  const no = has.filter(([, there]) => !there).map(([name]) => name);
  return together(outcomes, `PKCE S256${pkce === undefined ? " (not listed)" : ""}; has ${yes.join(", ") || "nothing else"}${no.length === 0 ? "" : `; has no ${no.join(", ")}`}`);
}

/** D-06: can the client prove itself as this issuer wants it? `now`: milliseconds. */
export function checkClientAuthentication(metadata: Metadata, proof: ClientProof, now: number): Outcome {
  const methods = listOf(metadata["token_endpoint_auth_methods_supported"]);
  const shown = namesOf(methods ?? []);
  if (proof.method === "private_key_jwt") {
    const expiresAt = isKeyForRequestsOnly(methods) ? proof.certificateExpiresAt : undefined;
    return expiresAt === undefined ? checkKeyProof(metadata, methods, proof.algorithms) : checkCertificateProof(methods, expiresAt - now);
  }
  if (proof.method === "tls_client_auth") return checkCertificateProof(methods, proof.expiresAt - now);
  const hasSecret = proof.method === "client_secret";
  if (methods === undefined) return ok(hasSecret ? "client secret, in the header" : "public client; the issuer does not list its methods");
  if (hasSecret && !methods.some((method) => method === "client_secret_basic" || method === "client_secret_post"))
    return failed("CLIENT_REJECTED", `the issuer takes no client secret (${shown})`, "leave the client secret out, if the client is public");
  if (!hasSecret && !methods.includes("none") && !takesPublicClients(metadata))
    return warn(`the issuer lists ${shown} and not none: it may refuse a public client`, "register the client as public, or add --oidc-client-secret-file=FILE");
  return ok(hasSecret ? `client secret (${shown})` : "public client");
}

const namesOf = (names: readonly string[]) => names.map((one) => safeText(one, 40)).join(", ") || "none";

function checkKeyProof(metadata: Metadata, methods: readonly string[] | undefined, able: readonly string[]): Outcome {
  const listed = listOf(metadata["token_endpoint_auth_signing_alg_values_supported"]);
  if (methods !== undefined && !methods.includes("private_key_jwt"))
    return warn(`the issuer lists ${namesOf(methods)} and not private_key_jwt: it may refuse the client's key`, "register the client for private_key_jwt at the issuer");
  if (listed !== undefined && !able.some((algorithm) => listed.includes(algorithm)))
    return warn(`the issuer lists signatures by ${namesOf(listed)}, and the client's key makes ${namesOf(able)}`, "make a key of a kind that the issuer lists");
  return ok(`private_key_jwt, signed with ${chosenAlgorithm(able, listed)}`);
}

const dayMs = 86_400_000;

function checkCertificateProof(methods: readonly string[] | undefined, left: number): Outcome {
  const days = Math.floor(left / dayMs);
  const ends = `the client's certificate expires in ${days} ${days === 1 ? "day" : "days"}`;
  if (methods !== undefined && !methods.some((method) => tlsMethods.includes(method)))
    return warn(`the issuer lists ${namesOf(methods)} and no mutual TLS: it may refuse the client's certificate`, "register the client for tls_client_auth at the issuer");
  return days < 14 ? warn(ends, "get a new certificate before then") : ok(`mutual TLS; ${ends}`);
}

/** D-12: is the token's key among the issuer's, and does its signature hold? `verifies` undefined: there is no token. */
export function checkKeys(keys: readonly (string | undefined)[], kid: unknown, verifies: boolean | undefined): Outcome {
  if (keys.length === 0) return failed("ID_TOKEN_INVALID", "the issuer publishes no key that can verify a token", "ask the issuer's administrator for its jwks_uri");
  const count = `${keys.length} ${keys.length === 1 ? "key" : "keys"}`;
  if (verifies === undefined) return ok(count);
  if (typeof kid === "string" && keys.every((key) => key !== undefined && key !== kid))
    return warn(`${count}, and the token's (${safeText(kid, 60)}) is not among them: the issuer has replaced it`, "run: kubectl oidc token --force-refresh");
  return verifies
    ? ok(`${count}, and the token's signature holds`)
    : failed("ID_TOKEN_INVALID", `the token's signature holds under none of the issuer's keys (${count})`, "ask the issuer's administrator whether its jwks_uri is the right one");
}

const clockCures: Readonly<Record<string, string>> = {
  linux: "run: sudo timedatectl set-ntp true",
  darwin: "run: sudo sntp -sS time.apple.com",
  win32: "run: w32tm /resync",
};

/** D-13. `offsets`: what other clocks say minus ours, in seconds. An API server allows nothing for `exp`, and a minute for `nbf`. */
export function checkClock(offsets: readonly { readonly of: string; readonly seconds: number }[], platform = "linux"): Outcome {
  if (offsets.length === 0) return { status: "skipped", detail: "nobody said what time it is" };
  const worst = offsets.reduce((one, other) => (Math.abs(other.seconds) > Math.abs(one.seconds) ? other : one));
  const size = Math.abs(worst.seconds);
  // Whole seconds in a Date header, and the way that it took.
  if (size <= 10) return ok(`right within ${Math.max(1, Math.round(size))} s`);
  const shown = size < 120 ? `${Math.round(size)} s` : `${Math.round(size / 60)} minutes`;
  const detail = `this computer's clock is ${shown} ${worst.seconds > 0 ? "behind" : "ahead of"} ${safeText(worst.of, 100)}`;
  const cure = clockCures[platform] ?? "set the clock, and let it be kept right by NTP";
  return size < 60 ? warn(detail, cure) : failed("ENVIRONMENT_UNSAFE", detail, cure);
}
