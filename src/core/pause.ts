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

/**
 * Seconds until a login may open by itself again; 0 when it may. A pause that ended further in the future than it is long was written
 * before the clock was set back: it is over, or it would last for hours. A smaller difference may be another host's clock.
 */
export function pauseLeft(pause: Pause | undefined, now: number): number {
  if (pause === undefined) return 0;
  const length = lengths[Math.min(pause.failures, lengths.length) - 1] ?? 0;
  if (pause.endedAt - now > length) return 0;
  return Math.max(0, Math.min(length, pause.endedAt + length - now));
}

/** The login that ended without success between two looks at its pause; undefined when none did. Nobody compares clocks. */
export function failedSince(before: Pause | undefined, after: Pause | undefined): Pause | undefined {
  if (after?.code === undefined) return undefined;
  const isSame = before !== undefined && before.code === after.code && before.failures === after.failures && before.endedAt === after.endedAt;
  return isSame ? undefined : after;
}
