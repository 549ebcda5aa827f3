import { isObject } from "./session.ts";

/** Seconds by consecutive failures (cli.md M5). */
const lengths = [10, 60, 300, 1800] as const;

/** What is remembered of logins that did not succeed. */
export interface Pause {
  readonly failures: number;
  /** Seconds since the epoch, of the last sign of life of the last login. */
  readonly endedAt: number;
  /** How it ended; undefined while it is open, or when it was killed. */
  readonly code?: string;
}

export function parsePause(text: string | undefined): Pause | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    return isObject(value) && Number.isInteger(value["failures"]) && Number.isFinite(value["endedAt"]) && Number(value["failures"]) > 0 ? (value as unknown as Pause) : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds until a login may open by itself again; 0 when it may. A clock set back cannot stretch it beyond its length. */
export function pauseLeft(pause: Pause | undefined, now: number): number {
  if (pause === undefined) return 0;
  const length = lengths[Math.min(pause.failures, lengths.length) - 1] ?? 0;
  return Math.max(0, Math.min(length, pause.endedAt + length - now));
}
