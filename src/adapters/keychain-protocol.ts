import { isObject } from "../core/session.ts";

/** What the keychain child is asked: one JSON line on its stdin. A secret travels by this pipe only. */
export interface KeychainRequest {
  readonly op: "read" | "write" | "remove" | "probe";
  readonly service: string;
  readonly account: string;
  readonly value?: string;
  /** May the platform ask the person to unlock? Otherwise, on Linux, a locked keyring is a fault at once. */
  readonly mayPrompt: boolean;
  /** The child ends itself when this has passed. Milliseconds. */
  readonly deadlineMs: number;
}

export type KeychainFault = "unavailable" | "locked" | "timed-out";

/** What it answers: one JSON line on its stdout. `reason` never holds a value. */
export type KeychainAnswer = { readonly ok: true; readonly value?: string } | { readonly ok: false; readonly fault: KeychainFault; readonly reason: string };

export function parseKeychainRequest(line: string): KeychainRequest | undefined {
  const o = parse(line);
  const valid =
    o !== undefined &&
    ["read", "write", "remove", "probe"].some((op) => op === o["op"]) &&
    typeof o["service"] === "string" &&
    typeof o["account"] === "string" &&
    typeof o["mayPrompt"] === "boolean" &&
    typeof o["deadlineMs"] === "number" &&
    (o["op"] !== "write" || typeof o["value"] === "string");
  return valid ? (o as unknown as KeychainRequest) : undefined;
}

export function parseKeychainAnswer(line: string): KeychainAnswer | undefined {
  const o = parse(line);
  if (o?.["ok"] === true && (o["value"] === undefined || typeof o["value"] === "string")) return o as unknown as KeychainAnswer;
  return o?.["ok"] === false && ["unavailable", "locked", "timed-out"].some((fault) => fault === o["fault"]) && typeof o["reason"] === "string"
    ? (o as unknown as KeychainAnswer)
    : undefined;
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
