import { existsSync } from "node:fs";
import { chooseSubject } from "../../core/choose-subject.ts";
import type { Settings } from "../../core/settings.ts";
import { isOidcError } from "../../errors/oidc-error.ts";

/** The settings with the identity that they mean on this computer, or with why there is none; no token is read. The other codes of `chooseSubject`. */
export function withIdentity(settings: Settings, env: Readonly<Record<string, string | undefined>>): Settings {
  try {
    return { ...settings, subject: chooseSubject(settings, env, existsSync) };
  } catch (error) {
    if (!isOidcError(error) || error.code !== "SUBJECT_TOKEN_INVALID") throw error;
    return { ...settings, subjectFault: error };
  }
}
