import { sha256Hex } from "./sha256.ts";
import { textsOf } from "./token-proof.ts";

type Claims = Readonly<Record<string, unknown>>;

/** How an API server makes a user of a token. */
export interface UserMapping {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly usernameClaim: string;
  readonly usernamePrefix: string;
  readonly groupsClaim: string | undefined;
  readonly groupsPrefix: string;
  /** Of the token; undefined: not seen yet. */
  readonly algorithm: string | undefined;
  /** PEM of the issuer's authority, when it is none of the system's. */
  readonly authority: string | undefined;
}

/** Whom a server with that mapping sees behind the claims. */
export interface ExpectedUser {
  /** Undefined: the claim is not there, and the server refuses the token. */
  readonly username: string | undefined;
  readonly groups: readonly string[];
}

export function expectedUser(mapping: UserMapping, claims: Claims): ExpectedUser {
  const name = claims[mapping.usernameClaim];
  const groups = mapping.groupsClaim === undefined ? [] : (textsOf(claims[mapping.groupsClaim]) ?? []);
  return { username: typeof name === "string" && name !== "" ? `${mapping.usernamePrefix}${name}` : undefined, groups: groups.map((group) => `${mapping.groupsPrefix}${group}`) };
}

/**
 * Kubernetes' AuthenticationConfiguration (apiserver.config.k8s.io/v1, GA in 1.34), as a value to be written as YAML. A prefix must be said,
 * empty or not; several audiences need MatchAny (apiserver, pkg/apis/apiserver/validation).
 */
export function authenticationConfiguration(mapping: UserMapping): object {
  const { issuer, audiences, authority, groupsClaim } = mapping;
  return {
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AuthenticationConfiguration",
    jwt: [
      {
        issuer: {
          url: issuer,
          audiences,
          ...(audiences.length > 1 ? { audienceMatchPolicy: "MatchAny" } : {}),
          ...(authority === undefined ? {} : { certificateAuthority: authority }),
        },
        claimMappings: {
          username: { claim: mapping.usernameClaim, prefix: mapping.usernamePrefix },
          ...(groupsClaim === undefined ? {} : { groups: { claim: groupsClaim, prefix: mapping.groupsPrefix } }),
        },
      },
    ],
  };
}

/** The same as flags, for API servers before 1.30; they take one audience. `-`: no prefix for user names, which an empty flag would not mean. */
export function apiServerFlags(mapping: UserMapping): readonly string[] {
  const { algorithm, groupsClaim } = mapping;
  return [
    `--oidc-issuer-url=${mapping.issuer}`,
    `--oidc-client-id=${mapping.audiences[0] ?? ""}`,
    `--oidc-username-claim=${mapping.usernameClaim}`,
    `--oidc-username-prefix=${mapping.usernamePrefix === "" ? "-" : mapping.usernamePrefix}`,
    ...(groupsClaim === undefined ? [] : [`--oidc-groups-claim=${groupsClaim}`, ...(mapping.groupsPrefix === "" ? [] : [`--oidc-groups-prefix=${mapping.groupsPrefix}`])]),
    // Without the flag a server takes RS256 alone.
    ...(algorithm === undefined || algorithm === "RS256" ? [] : [`--oidc-signing-algs=${algorithm}`]),
    ...(mapping.authority === undefined ? [] : ["--oidc-ca-file=FILE"]),
  ];
}

/** Whom the role binding is for. */
export interface Subject {
  readonly kind: "Group" | "User";
  /** As the API server sees it, its prefix included. */
  readonly name: string;
}

/**
 * A ClusterRoleBinding, as a value to be written as YAML. `kubectl apply` puts one of the same name in the place of another: of a name that
 * does not say all of the subject (or nothing, and then it could be that of `cluster-admin` itself), a digest tells the two apart.
 */
export function roleBinding(subject: Subject, role: string): object {
  const part = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .slice(0, 100)
      .replace(/^-+|-+$/g, "");
  // GROUP is a word to be replaced.
  const whole = (text: string) => text.length <= 100 && /^[a-z0-9]+([:.@-][a-z0-9]+)*$/.test(text.replace(/GROUP$/, "group"));
  const digest = whole(subject.name) && whole(role) ? "" : sha256Hex(JSON.stringify([subject.kind, subject.name, role])).slice(0, 8);
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: [part(subject.name), part(role), digest].filter((text) => text !== "").join("-") },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: subject.kind, name: subject.name }],
  };
}
