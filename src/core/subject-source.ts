import { safeText } from "./untrusted-text.ts";

/** Where a machine's own token is read from, afresh each time (cli.md M16). It holds no secret. */
export type SubjectSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "command"; readonly words: readonly string[] }
  | { readonly kind: "github" }
  | { readonly kind: "gitlab"; readonly variable: string }
  | { readonly kind: "kubernetes"; readonly context: string | undefined; readonly namespace: string; readonly name: string };

/** The identity that a session of a machine has. */
export interface Subject {
  readonly source: SubjectSource;
  /** Tells identities apart in the session key: a label for people, and a digest of all that the identity depends on. */
  readonly identity: string;
  /** The call is in a command that is asked for the token of another machine's session. */
  readonly isWithin: boolean;
}

/** The folder that a pod finds its own token in. */
export const podTokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** The ID token of a GitLab job lies in a variable that its `id_tokens:` names; this one, when nothing else is said. */
export const gitlabVariable = "GITLAB_OIDC_TOKEN";

/** The options that say where a machine's own token comes from; those that are undefined say nothing. */
export interface SubjectOptions {
  readonly identity: string | undefined;
  readonly subjectTokenFile: string | undefined;
  readonly subjectTokenCommand: string | undefined;
  readonly subjectTokenVariable: string | undefined;
  readonly subjectTokenServiceAccount: string | undefined;
}

/** True when one of them says something. */
export function namesSubject({ identity, subjectTokenFile, subjectTokenCommand, subjectTokenVariable, subjectTokenServiceAccount }: SubjectOptions): boolean {
  return [identity, subjectTokenFile, subjectTokenCommand, subjectTokenVariable, subjectTokenServiceAccount].some((value) => value !== undefined);
}

/** Does a session of this grant stand on a token of the platform? `client-credentials`: when one is named, it stands for the client's secret. */
export function needsSubject(options: SubjectOptions & { readonly grant: string }): boolean {
  return ["token-exchange", "jwt-bearer", "subject-token"].includes(options.grant) || (options.grant === "client-credentials" && namesSubject(options));
}

/** For people: `the file /var/run/…`, `GitHub Actions`. Safe for a terminal. */
export function subjectLabel(source: SubjectSource): string {
  switch (source.kind) {
    case "file":
      return `the file ${safeText(source.path, 160)}`;
    case "command":
      return `the command ${safeText(source.words[0], 80)}`;
    case "github":
      return "GitHub Actions";
    case "gitlab":
      return `the variable ${safeText(source.variable, 60)}`;
    case "kubernetes":
      return `the service account ${source.namespace}/${source.name}${source.context === undefined ? "" : ` of context ${safeText(source.context, 60)}`}`;
    default:
      return source satisfies never;
  }
}
