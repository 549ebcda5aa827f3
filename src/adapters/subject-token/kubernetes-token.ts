import { secretJobVariable } from "../../core/job-variables.ts";
import { gitlabVariable, type SubjectSource } from "../../core/subject-source.ts";
import { tokenInOutput } from "../../core/subject-token.ts";
import { runProgram } from "./run-program.ts";
import type { SubjectReading } from "./subject-reading.ts";

/**
 * A token of a service account, by Kubernetes' TokenRequest API: `kubectl create token`, with the credentials of a kubeconfig's context, by the
 * kubectl that is on the PATH. SUBJECT_TOKEN_INVALID with the first line of what kubectl says.
 */
export async function kubernetesToken(
  source: Extract<SubjectSource, { kind: "kubernetes" }>,
  { audience, seconds }: { readonly audience: string; readonly seconds: number },
  { env, platform, signal }: SubjectReading,
): Promise<string> {
  // One argument each: a value never begins an option of its own.
  const words = [
    "kubectl",
    "create",
    "token",
    source.name,
    `--namespace=${source.namespace}`,
    ...(source.context === undefined ? [] : [`--context=${source.context}`]),
    `--audience=${audience}`,
    `--duration=${seconds}s`,
  ];
  const { out } = await runProgram(words, { env, platform, signal, withhold: [secretJobVariable, gitlabVariable] });
  return tokenInOutput(out);
}
