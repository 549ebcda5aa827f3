import { existsSync } from "node:fs";
import { chooseSubject } from "../../core/choose-subject.ts";
import type { Settings } from "../../core/settings.ts";
import type { Subject } from "../../core/subject-source.ts";

/** The identity that these settings mean on this computer; its token is not read. The codes of `chooseSubject`. */
export function identityHere(settings: Settings, env: Readonly<Record<string, string | undefined>>): Subject | undefined {
  return chooseSubject(settings, env, existsSync);
}
