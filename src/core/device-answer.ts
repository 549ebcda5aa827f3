import type { Secret } from "./secret.ts";
import { isObject } from "./session.ts";

/** A device authorization (RFC 8628, section 3.2) whose texts were made safe and whose addresses were judged. */
export interface DeviceAuthorization {
  readonly deviceCode: Secret;
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete: string | undefined;
  /** Seconds, clamped: interval 1 to 60, life at most 1800. */
  readonly interval: number;
  readonly expiresIn: number;
  readonly verifier: Secret;
}

/** RFC 8628, section 3.2: without an interval a client waits five seconds. */
const usualInterval = 5;
/** Seconds, when an issuer does not say, or not in a way that anybody understands: `expires_in` is required. */
const usualLife = 600;

/**
 * A device authorization answer with numbers where numbers belong: issuers send "5", 0, and nothing, and the OIDC library refuses the whole
 * answer then (protocol.md DV-09). Other members stay as they are; what is no object too.
 */
export function plainDeviceAnswer(answer: unknown): unknown {
  if (!isObject(answer) || answer["error"] !== undefined) return answer;
  // Google's answer is older than the RFC: verification_url.
  const uri = answer["verification_uri"] ?? answer["verification_url"];
  return {
    ...answer,
    ...(uri === undefined ? {} : { verification_uri: uri }),
    interval: positive(answer["interval"]) ?? usualInterval,
    expires_in: positive(answer["expires_in"]) ?? usualLife,
  };
}

function positive(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number > 0 ? number : undefined;
}
