import { clients, pushedRequests } from "./clients.ts";
import { device, ending, loopback, nativeApps, rotation } from "./flows.ts";
import { machines } from "./machines.ts";
import { kubeconfig, network, secrets, storage, terminal } from "./machine.ts";
import { fapi, modules, more } from "./modules.ts";
import type { Point } from "../point.ts";
import { bestPractice, bound, idTokens, issuerIdentification, pkce, refresh } from "./tokens.ts";

/** Every numbered point, by chapter. */
export const chapters: readonly (readonly [title: string, points: readonly Point[]])[] = [
  ["Relying-party modules of the OpenID Foundation", modules],
  ["Borrowed from the FAPI 2 client plan", fapi],
  ["Logout, requests, and an issuer that misbehaves", more],
  ["ID tokens (OpenID Connect Core 3.1.3.7)", idTokens],
  ["Refresh (OpenID Connect Core 12.2)", refresh],
  ["Issuer identification (RFC 9207)", issuerIdentification],
  ["PKCE (RFC 7636)", pkce],
  ["Sessions that are bound to a key (DPoP, RFC 9449)", bound],
  ["Best current practice (RFC 9700)", bestPractice],
  ["Native apps (RFC 8252)", nativeApps],
  ["The loopback listener", loopback],
  ["Device authorization (RFC 8628)", device],
  ["How a client proves itself (RFC 7523, RFC 8705)", clients],
  ["Pushed and signed requests (RFC 9126, RFC 9101)", pushedRequests],
  ["Revocation and logout (RFC 7009)", ending],
  ["Rotation", rotation],
  ["Machines with tokens of their own (RFC 8693, RFC 7523)", machines],
  ["Files and keychain", storage],
  ["Terminal and browser", terminal],
  ["Secrets", secrets],
  ["Poisoned kubeconfigs", kubeconfig],
  ["Network", network],
];
