/**
 * Set for the children that are asked for a token: one that comes back to us for the same (a kubeconfig whose context logs in by its own token)
 * would start the next, without an end. And one that comes for another token must not wait for a lock of whoever waits for it (`lockName`).
 */
export const askingVariable = "WITHIN_KUBECTL_OIDC";

/**
 * What tells one job from another: runners of one's own are shared, and so is their home. A matrix gives its jobs one name, so what a job
 * asks with is part of it too. Inputs of the memo (core/memo.ts).
 */
export const jobVariables = [
  "CI_JOB_ID",
  "CI_SERVER_URL",
  "GITHUB_RUN_ID",
  "GITHUB_RUN_ATTEMPT",
  "GITHUB_JOB",
  "GITHUB_REPOSITORY",
  "ACTIONS_ID_TOKEN_REQUEST_URL",
  "BUILDKITE_JOB_ID",
  "CIRCLE_WORKFLOW_JOB_ID",
  "SYSTEM_JOBID",
  "BUILD_TAG",
] as const;

/** Where a job of GitHub asks for its ID token, with a request token that makes its bearer the job. */
export const endpointVariable = "ACTIONS_ID_TOKEN_REQUEST_URL";

/** The variable of a job that holds a secret and is part of its identity. */
export const secretJobVariable = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/** What `auto` looks at besides, other inputs of the memo. */
export const detectedVariables = ["GITHUB_ACTIONS", "GITLAB_CI", "AZURE_FEDERATED_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "KUBERNETES_SERVICE_HOST", askingVariable] as const;
