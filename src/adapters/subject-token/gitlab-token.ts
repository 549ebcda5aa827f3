import { safeText } from "../../core/untrusted-text.ts";
import { fail } from "../../errors/oidc-error.ts";

/** The ID token that GitLab put into a variable of the job when it began (`id_tokens:`). SUBJECT_TOKEN_INVALID when it is not there. */
export function gitlabToken(variable: string, env: Readonly<Record<string, string | undefined>>): string {
  const token = env[variable]?.trim();
  return token
    ? token
    : fail("SUBJECT_TOKEN_INVALID", { message: `the variable ${safeText(variable, 60)} is empty`, hint: `give the job id_tokens: with ${safeText(variable, 60)}` });
}
