import type { Settings } from "../../core/settings.ts";
import type { Terminal } from "../../ports.ts";

/** What reading a token of the platform takes of this program. */
export interface SubjectReading {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly settings: Pick<Settings, "caFiles" | "caData">;
  readonly version: string;
  readonly terminal: Pick<Terminal, "warn" | "log">;
  readonly signal: AbortSignal;
  /** Variables that requests take no account of (`strict`). */
  readonly notCounted?: readonly string[];
}
