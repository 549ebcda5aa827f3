/** What a field holds. `time`: RFC 3339 in UTC with `Z`, whole seconds. `texts`: a list of texts. `open`: an object whose keys are somebody else's. */
export type FieldKind = "text" | "time" | "integer" | "boolean" | "texts" | "object" | "list" | "open";

export interface Field {
  /** `sessions[].issuer` */
  readonly path: string;
  readonly kind: FieldKind;
  readonly help: string;
  readonly nullable?: true;
  /** May be absent. */
  readonly optional?: true;
}

/** One JSON value that the program prints. `test/docs/json.test.ts` holds the example and real outputs of the built program against the fields. */
export interface JsonShape {
  readonly title: string;
  /** Of the command table; undefined: of any. */
  readonly command: string | undefined;
  readonly about: string;
  readonly example: object;
  readonly fields: readonly Field[];
}

const field = (path: string, kind: FieldKind, help: string, more: { readonly nullable?: true; readonly optional?: true } = {}): Field => ({ path, kind, help, ...more });
const nullable = { nullable: true } as const;
const optional = { optional: true } as const;

const issuer = "https://id.example.com";
const expiresAt = "2026-11-23T14:05:00Z";

export const jsonShapes: readonly JsonShape[] = [
  {
    title: "setup -o json",
    command: "setup",
    about: "What was planned, with `--dry-run`, or done. No secret is in it: the diff hides them.",
    example: {
      context: "prod",
      user: "oidc-prod",
      cluster: "prod",
      server: "https://k8s.example.com:6443",
      issuer,
      clientId: "kubernetes",
      preset: "keycloak",
      claims: { iss: issuer, sub: "248289761001", aud: "kubernetes", email: "ann@example.com", groups: ["dev"] },
      expected: { username: "oidc:ann@example.com", groups: ["oidc:dev"] },
      stanza: {
        apiVersion: "client.authentication.k8s.io/v1",
        command: "kubectl-oidc",
        args: ["get-token", `--oidc-issuer-url=${issuer}`, "--oidc-client-id=kubernetes"],
        interactiveMode: "IfAvailable",
        provideClusterInfo: true,
        installHint: "kubectl-oidc logs in to this cluster with OpenID Connect.",
      },
      command: "kubectl config set-credentials oidc-prod --exec-command=kubectl-oidc",
      changes: [{ file: "/home/ann/.kube/config", diff: "--- /home/ann/.kube/config\n+++ /home/ann/.kube/config\n", backup: "/home/ann/.kube/config.before-kubectl-oidc" }],
      written: true,
      review: "seen",
      administrator: {
        authenticationConfiguration: "apiVersion: apiserver.config.k8s.io/v1\n",
        flags: [`--oidc-issuer-url=${issuer}`, "--oidc-client-id=kubernetes"],
        roleBinding: "apiVersion: rbac.authorization.k8s.io/v1\n",
        kuberc: "apiVersion: kubectl.config.k8s.io/v1beta1\n",
        kubercCommand: "kubectl kuberc set",
      },
    },
    fields: [
      field("context", "text", "the context that is set up"),
      field("user", "text", "the kubeconfig user that is written"),
      field("cluster", "text", "the context's cluster"),
      field("server", "text", "its API server", nullable),
      field("issuer", "text", "the issuer"),
      field("clientId", "text", "the client"),
      field("preset", "text", "`--preset`, or what the issuer's URL told"),
      field("claims", "open", "the token's claims, when there is a token", nullable),
      field("expected", "object", "whom an API server that is set up like this will see", nullable),
      field("expected.username", "text", "user name", nullable),
      field("expected.groups", "texts", "groups"),
      field("stanza", "object", "what stands under `exec` of the user"),
      field("stanza.apiVersion", "text", "`client.authentication.k8s.io/v1`"),
      field("stanza.command", "text", "this program"),
      field("stanza.args", "texts", "its arguments"),
      field("stanza.env", "list", "variables that the stanza had before", optional),
      field("stanza.interactiveMode", "text", "`IfAvailable`"),
      field("stanza.provideClusterInfo", "boolean", "the session is held to its API servers"),
      field("stanza.installHint", "text", "what kubectl says when the program is not there"),
      field("command", "text", "the same user by `kubectl config set-credentials`; null when it cannot be written for a shell", nullable),
      field("changes", "list", "one for each file that changes; empty when nothing is left to do"),
      field("changes[].file", "text", "the file"),
      field("changes[].diff", "text", "unified diff, secrets hidden"),
      field("changes[].backup", "text", "where the file is kept as it was before"),
      field("written", "boolean", "it was written"),
      field("review", "text", "what the API server answered: `seen`, `refused` (401), `unanswered`, `unreachable` or `not-asked`"),
      field("administrator", "object", "what the cluster's administrator needs"),
      field("administrator.authenticationConfiguration", "text", "AuthenticationConfiguration, YAML"),
      field("administrator.flags", "texts", "the same as flags of the API server"),
      field("administrator.roleBinding", "text", "ClusterRoleBinding, YAML"),
      field("administrator.kuberc", "text", "kubectl's allowlist of plugins, YAML"),
      field("administrator.kubercCommand", "text", "the same as a command"),
    ],
  },
  {
    title: "setup --undo -o json",
    command: "setup",
    about: "What was put back.",
    example: {
      context: "prod",
      changes: [{ file: "/home/ann/.kube/config", diff: "--- /home/ann/.kube/config\n+++ /home/ann/.kube/config\n", backup: "/home/ann/.kube/config.before-kubectl-oidc" }],
      written: true,
    },
    fields: [
      field("context", "text", "the context; null: all", nullable),
      field("changes", "list", "one for each file; empty when nothing was there to put back"),
      field("changes[].file", "text", "the file"),
      field("changes[].diff", "text", "unified diff, secrets hidden"),
      field("changes[].backup", "text", "where the file was kept"),
      field("written", "boolean", "it was written"),
    ],
  },
  {
    title: "migrate -o json",
    command: "migrate",
    about: "What would be carried over, with `--dry-run`, or was. Users that are no concern of this command are left out. No secret is in it.",
    example: {
      written: true,
      users: [
        {
          user: "ann",
          contexts: ["prod"],
          kind: "kubelogin",
          action: "rewritten",
          refreshToken: "moved",
          losses: ["--tls-renegotiation-once has no meaning here"],
        },
      ],
      changes: [{ file: "/home/ann/.kube/config", diff: "--- /home/ann/.kube/config\n+++ /home/ann/.kube/config\n", backup: "/home/ann/.kube/config.before-kubectl-oidc" }],
    },
    fields: [
      field("written", "boolean", "it was written"),
      field("users", "list", "one for each user of the kubeconfig that logs in, or did, with OpenID Connect"),
      field("users[].user", "text", "its name"),
      field("users[].contexts", "texts", "the contexts that use it"),
      field("users[].kind", "text", "`kubelogin`, `auth-provider`, `azure`, `ours` or `other`"),
      field("users[].action", "text", "`rewritten`, `would-rewrite`, `nothing-to-do` or `not-carried-over`"),
      field("users[].refreshToken", "text", "`moved`, `none`, `kept-ours` (a session of ours was there already) or `not-carried-over`"),
      field("users[].losses", "texts", "what could not be carried over, and why"),
      field("changes", "list", "one for each file that changes"),
      field("changes[].file", "text", "the file"),
      field("changes[].diff", "text", "unified diff, secrets hidden"),
      field("changes[].backup", "text", "where the file is kept as it was before, without the secrets that moved"),
    ],
  },
  {
    title: "login -o json: url",
    command: "login",
    about: "Events, one object a line. This one: a browser must open this URL.",
    example: { event: "url", url: `${issuer}/authorize?response_type=code&client_id=kubernetes` },
    fields: [field("event", "text", "`url`"), field("url", "text", "what the browser opens; holds no secret that is of use to others")],
  },
  {
    title: "login -o json: code",
    command: "login",
    about: "A person must enter this code.",
    example: { event: "code", userCode: "WDJB-MJHT", verificationUri: `${issuer}/activate`, verificationUriComplete: `${issuer}/activate?user_code=WDJB-MJHT`, expiresAt },
    fields: [
      field("event", "text", "`code`"),
      field("userCode", "text", "to be entered"),
      field("verificationUri", "text", "where"),
      field("verificationUriComplete", "text", "the same with the code in it, when the issuer gives it", optional),
      field("expiresAt", "time", "until when"),
    ],
  },
  {
    title: "login -o json: done",
    command: "login",
    about: "The last event of a login that worked.",
    example: { event: "done", issuer, subject: "248289761001", account: "ann@example.com", expiresAt, storage: "keyring" },
    fields: [
      field("event", "text", "`done`"),
      field("issuer", "text", "the issuer"),
      field("subject", "text", "the token's `sub`"),
      field("account", "text", "the account's name, `unknown` without one"),
      field("expiresAt", "time", "end of the token"),
      field("storage", "text", "`--token-cache-storage`"),
    ],
  },
  {
    title: "login -o json: error",
    command: "login",
    about: "The last event of a login that did not. The error itself is on stderr.",
    example: { event: "error", code: "LOGIN_DENIED", exit: 20 },
    fields: [field("event", "text", "`error`"), field("code", "text", "[code](errors.md)"), field("exit", "integer", "the exit status")],
  },
  {
    title: "status -o json",
    command: "status",
    about: "Every stored session; nothing is asked for it.",
    example: {
      sessions: [
        {
          issuer,
          clientId: "kubernetes",
          account: "ann@example.com",
          subject: "248289761001",
          scopes: ["groups"],
          storage: "keyring",
          tokenExpiresAt: expiresAt,
          hasRefreshToken: true,
          state: "active",
          contexts: ["prod", "staging"],
        },
      ],
    },
    fields: [
      field("sessions", "list", "one for each session"),
      field("sessions[].issuer", "text", "the issuer"),
      field("sessions[].clientId", "text", "the client"),
      field("sessions[].account", "text", "`--account`, else the account's name", nullable),
      field("sessions[].subject", "text", "the token's `sub`", nullable),
      field("sessions[].scopes", "texts", "scopes that were asked for, without the automatic ones"),
      field("sessions[].storage", "text", "where the refresh token rests"),
      field("sessions[].tokenExpiresAt", "time", "end of the cached token", nullable),
      field("sessions[].hasRefreshToken", "boolean", "the session outlives its token"),
      field("sessions[].state", "text", "`active`: the token is good; `refreshable`: a refresh makes a new one; `expired`: a person must log in"),
      field("sessions[].contexts", "texts", "contexts of the kubeconfig that use it"),
    ],
  },
  {
    title: "whoami -o json",
    command: "whoami",
    about: "The token's claims beside what the API server answers. The token itself is not in it.",
    example: {
      issuer,
      clientId: "kubernetes",
      subject: "248289761001",
      account: "ann@example.com",
      expiresAt,
      claims: { iss: issuer, sub: "248289761001", aud: "kubernetes", email: "ann@example.com", groups: ["dev"] },
      context: "prod",
      server: "https://k8s.example.com:6443",
      review: "seen",
      user: { username: "oidc:ann@example.com", uid: null, groups: ["oidc:dev", "system:authenticated"], extra: { "authentication.kubernetes.io/credential-id": ["JTI=3f1c"] } },
      sameToken: true,
    },
    fields: [
      field("issuer", "text", "the issuer"),
      field("clientId", "text", "the client"),
      field("subject", "text", "the token's `sub`"),
      field("account", "text", "the account's name", nullable),
      field("expiresAt", "time", "end of the token"),
      field("claims", "open", "the token's claims as they are"),
      field("context", "text", "the context that was used", nullable),
      field("server", "text", "its API server", nullable),
      field("review", "text", "`seen`, `refused` (401), `unanswered` (no SelfSubjectReview there), `unreachable` or `not-asked`"),
      field("user", "object", "whom the server sees", nullable),
      field("user.username", "text", "its name"),
      field("user.uid", "text", "its UID", nullable),
      field("user.groups", "texts", "its groups"),
      field("user.extra", "open", "what else the server says of it: lists of texts"),
      field("sameToken", "boolean", "the server saw this very token; null when that cannot be known", nullable),
    ],
  },
  {
    title: "doctor -o json",
    command: "doctor",
    about: "Every check in the order of its number ([list](doctor.md)). Nothing in it is secret: it can stand in a report.",
    example: {
      checks: [
        { id: "D-04", title: "discovery", status: "ok", detail: "https://id.example.com is what the issuer calls itself", cure: null },
        { id: "D-18", title: "callback ports", status: "fail", detail: "127.0.0.1:8000 is taken", cure: "end the program that holds the port" },
      ],
    },
    fields: [
      field("checks", "list", "one for each check"),
      field("checks[].id", "text", "`D-01` to `D-22`; a number stays"),
      field("checks[].title", "text", "what is checked"),
      field("checks[].status", "text", "`ok`, `warn`, `fail` or `skipped`"),
      field("checks[].detail", "text", "what was found"),
      field("checks[].cure", "text", "what to do", nullable),
    ],
  },
  {
    title: "trust -o json",
    command: "trust",
    about: "The session and the API servers that it may be used with, after `list`, `add` or `remove`.",
    example: {
      issuer,
      clientId: "kubernetes",
      account: "ann@example.com",
      servers: [{ server: "https://k8s.example.com:6443", tlsServerName: null, certificateAuthority: "sha256:5d41402abc4b", proxy: null }],
    },
    fields: [
      field("issuer", "text", "the issuer"),
      field("clientId", "text", "the client"),
      field("account", "text", "the account", nullable),
      field("servers", "list", "empty: any server may use the session until one is added"),
      field("servers[].server", "text", "its origin"),
      field("servers[].tlsServerName", "text", "`tls-server-name` of the cluster", nullable),
      field("servers[].certificateAuthority", "text", "by which certificate authority it is known"),
      field("servers[].proxy", "text", "`proxy-url` of the cluster", nullable),
    ],
  },
  {
    title: "token -o json",
    command: "token",
    about: "The token is a secret: whoever has it is you until it ends.",
    example: { token: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", expiresAt, issuer, subject: "248289761001" },
    fields: [field("token", "text", "the token"), field("expiresAt", "time", "its end"), field("issuer", "text", "the issuer"), field("subject", "text", "the token's `sub`")],
  },
  {
    title: "get-token",
    command: "get-token",
    about: "An ExecCredential on one line, in the API version that kubectl asked for.",
    example: { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", expirationTimestamp: expiresAt } },
    fields: [
      field("apiVersion", "text", "`client.authentication.k8s.io/v1` or `…/v1beta1`"),
      field("kind", "text", "`ExecCredential`"),
      field("status", "object", "the credential"),
      field("status.token", "text", "the token"),
      field("status.expirationTimestamp", "time", "when kubectl asks again: the end of the token less a margin, or `--credential-ttl` from now, whichever is sooner"),
    ],
  },
  {
    title: "version -o json",
    command: "version",
    about: "Program, runtime, platform and keychain; with `--check` also the newest release.",
    example: {
      version: "0.1.0",
      commit: "0fa7e8c42b1d",
      form: "npm",
      runtime: "Node 24.11.0",
      platform: "linux/x64",
      keychain: "Secret Service",
      newest: "0.2.0",
      isNewest: false,
    },
    fields: [
      field("version", "text", "of this program"),
      field("commit", "text", "that it was built from; `unknown` when that was no repository"),
      field("form", "text", "`npm` or `standalone`"),
      field("runtime", "text", "`Node` or `Bun`, and its version"),
      field("platform", "text", "system and processor"),
      field("keychain", "text", "what `--token-cache-storage=keyring` stores in: `Secret Service`, `macOS Keychain` or `Windows Credential Manager`"),
      field("newest", "text", "the newest release, with `--check`", optional),
      field("isNewest", "boolean", "there is no newer one, with `--check`", optional),
    ],
  },
  {
    title: "An error",
    command: undefined,
    about: "With `-o json` the last line of stderr, from every command but `get-token`.",
    example: { code: "LOGIN_REQUIRED", title: "not logged in", detail: "not logged in to https://id.example.com", hint: "run: kubectl oidc login --context=prod", exit: 20 },
    fields: [
      field("code", "text", "[code](errors.md); none is ever renamed"),
      field("title", "text", "the code in words"),
      field("detail", "text", "what happened this time"),
      field("hint", "text", "what to do, a command where that is possible"),
      field("exit", "integer", "the [exit status](exit-statuses.md)"),
    ],
  },
];
