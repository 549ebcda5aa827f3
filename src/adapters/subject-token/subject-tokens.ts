import { secret, type Secret } from "../../core/secret.ts";
import type { SubjectTokens } from "../../ports.ts";
import { commandToken } from "./command-token.ts";
import { fileToken } from "./file-token.ts";
import { githubToken } from "./github-token.ts";
import { gitlabToken } from "./gitlab-token.ts";
import { kubernetesToken } from "./kubernetes-token.ts";
import type { SubjectReading } from "./subject-reading.ts";

/** Each platform by its own way. */
export function subjectTokens(reading: SubjectReading): SubjectTokens {
  return {
    async read(source, wanted): Promise<Secret> {
      switch (source.kind) {
        case "file":
          return secret(await fileToken(source.path, reading));
        case "command":
          return secret(await commandToken(source.words, reading));
        case "github":
          return secret(await githubToken(wanted.audience, reading));
        case "gitlab":
          return secret(gitlabToken(source.variable, reading.env));
        case "kubernetes":
          return secret(await kubernetesToken(source, wanted, reading));
        default:
          return source satisfies never;
      }
    },
  };
}
