import { fail } from "../errors/oidc-error.ts";
import { askingVariable, jobVariables, secretJobVariable } from "./job-variables.ts";
import type { IdentityKind, Settings } from "./settings.ts";
import { sha256Hex } from "./sha256.ts";
import { splitCommand } from "./split-command.ts";
import { gitlabVariable, needsSubject, podTokenFile, type Subject, subjectLabel, type SubjectSource } from "./subject-source.ts";
import { safeText } from "./untrusted-text.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The identity that these settings mean on this computer; undefined when they need none. `auto`, in this order: what an option names, GitHub
 * Actions, GitLab, Azure's, AWS's and a pod's projected token. SETTINGS_INCOMPLETE for an option that is missing, SUBJECT_TOKEN_INVALID when
 * nothing is found, SETTINGS_INVALID for an identity that asks for itself.
 */
export function chooseSubject(settings: Settings, env: Environment, fileExists: (path: string) => boolean): Subject | undefined {
  if (!needsSubject(settings)) return undefined;
  const kind = settings.identity ?? "auto";
  const source = kind === "auto" ? detected(settings, env, fileExists) : named(kind, settings, env);
  const isWithin = env[askingVariable] !== undefined;
  if (isWithin && (source.kind === "kubernetes" || source.kind === "command"))
    fail("SETTINGS_INVALID", {
      message: `the identity asks for itself: ${subjectLabel(source)} leads back to this program`,
      hint: "use a context with credentials of another kind for --subject-token-context",
    });
  return { source, identity: identityText(source, settings, env), isWithin };
}

function named(kind: Exclude<IdentityKind, "auto">, settings: Settings, env: Environment): SubjectSource {
  switch (kind) {
    case "file":
      return settings.subjectTokenFile === undefined ? incomplete("--subject-token-file", kind) : { kind, path: settings.subjectTokenFile };
    case "command":
      return settings.subjectTokenCommand === undefined ? incomplete("--subject-token-command", kind) : { kind, words: wordsOf(settings.subjectTokenCommand) };
    case "kubernetes":
      return settings.subjectTokenServiceAccount === undefined
        ? incomplete("--subject-token-service-account", kind)
        : serviceAccount(settings.subjectTokenServiceAccount, settings.subjectTokenContext);
    case "github":
      return env["ACTIONS_ID_TOKEN_REQUEST_URL"] ? { kind } : failGithub();
    case "gitlab": {
      const variable = settings.subjectTokenVariable ?? gitlabVariable;
      return env[variable] ? { kind, variable } : failGitlab(variable);
    }
    default:
      return kind satisfies never;
  }
}

const incomplete = (option: string, kind: IdentityKind): never =>
  fail("SETTINGS_INCOMPLETE", { message: `${option} is not set, and --identity=${kind} needs it`, hint: `add ${option}` });

const failGithub = (): never =>
  fail("SUBJECT_TOKEN_INVALID", {
    message: "this is no job of GitHub Actions that may ask for an ID token (ACTIONS_ID_TOKEN_REQUEST_URL is not set)",
    hint: "give the job permissions: id-token: write",
  });

const failGitlab = (variable: string): never =>
  fail("SUBJECT_TOKEN_INVALID", {
    message: `there is no ID token of a GitLab job in the variable ${safeText(variable, 60)}`,
    hint: `give the job id_tokens: with ${safeText(variable, 60)} and an aud, or name another with --subject-token-variable`,
  });

/** Names of Kubernetes (RFC 1123 subdomains): nothing else may reach a command line of kubectl, where a dash begins an option. */
const kubernetesName = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

function serviceAccount(text: string, context: string | undefined): SubjectSource {
  const [namespace = "", name = "", ...rest] = text.split("/");
  if (rest.length > 0 || !kubernetesName.test(namespace) || !kubernetesName.test(name))
    return fail("SETTINGS_INVALID", { message: "--subject-token-service-account must be NAMESPACE/NAME", hint: "correct --subject-token-service-account" });
  return { kind: "kubernetes", context, namespace, name };
}

function wordsOf(command: string): readonly string[] {
  const words = splitCommand(command);
  if (words === undefined || words.length === 0)
    return fail("SETTINGS_INVALID", { message: "--subject-token-command has a quote without its end, or no word", hint: "correct --subject-token-command" });
  return words;
}

function detected(settings: Settings, env: Environment, fileExists: (path: string) => boolean): SubjectSource {
  if (settings.subjectTokenCommand !== undefined) return { kind: "command", words: wordsOf(settings.subjectTokenCommand) };
  if (settings.subjectTokenFile !== undefined) return { kind: "file", path: settings.subjectTokenFile };
  if (settings.subjectTokenServiceAccount !== undefined) return serviceAccount(settings.subjectTokenServiceAccount, settings.subjectTokenContext);
  if (settings.subjectTokenVariable !== undefined) return named("gitlab", settings, env);
  if (env["ACTIONS_ID_TOKEN_REQUEST_URL"]) return { kind: "github" };
  if (env["GITLAB_CI"] && env[gitlabVariable]) return { kind: "gitlab", variable: gitlabVariable };
  for (const name of ["AZURE_FEDERATED_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"]) {
    const path = env[name];
    if (path && fileExists(path)) return { kind: "file", path };
  }
  if (env["KUBERNETES_SERVICE_HOST"] && fileExists(podTokenFile)) return { kind: "file", path: podTokenFile };
  if (env["GITHUB_ACTIONS"]) return failGithub();
  if (env["GITLAB_CI"]) return failGitlab(gitlabVariable);
  return fail("SUBJECT_TOKEN_INVALID", {
    message:
      "no identity of this machine is found: looked for ACTIONS_ID_TOKEN_REQUEST_URL, GITLAB_CI, AZURE_FEDERATED_TOKEN_FILE, AWS_WEB_IDENTITY_TOKEN_FILE and a pod's own token",
    hint: env["SPIFFE_ENDPOINT_SOCKET"]
      ? 'for SPIFFE add --subject-token-command="spire-agent api fetch jwt -output json -audience AUDIENCE"'
      : "name it with --subject-token-file or --subject-token-command",
  });
}

function identityText(source: SubjectSource, settings: Settings, env: Environment): string {
  const { subjectTokenType, requestedTokenType, subjectTokenAudience, mayHandThrough } = settings;
  const job = [...jobVariables, secretJobVariable].map((name) => env[name] ?? "");
  const token = source.kind === "gitlab" ? (env[source.variable] ?? "") : source.kind === "kubernetes" ? (env["KUBECONFIG"] ?? "") : "";
  const all = JSON.stringify(["machine-1", source, subjectTokenType ?? "", requestedTokenType ?? "", subjectTokenAudience ?? "", mayHandThrough, job, token]);
  return `${subjectLabel(source)} ${sha256Hex(all).slice(0, 32)}`;
}
