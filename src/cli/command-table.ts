/** One command: what it is for, and what it takes. */
interface CommandRow {
  /** One line, for the list. */
  readonly help: string;
  /** A sentence or two, for its own page. */
  readonly about: string;
  readonly group: "start" | "mend" | "program";
  readonly examples: readonly (readonly [words: string, why: string])[];
  readonly seeAlso: readonly string[];
  /** Takes the options of a session. */
  readonly session: boolean;
  /** Values of `-o`. */
  readonly outputs: readonly string[];
  /** Words after the command, as usage shows them. */
  readonly words?: string;
}

/** The commands, in the order of the help. */
export const commandTable = {
  setup: {
    help: "set up a kubeconfig context, and log in",
    about:
      "From a context, an issuer and a client ID to a kubectl that works: asks the issuer, logs in once, shows whom the API server will see, plans the change of the kubeconfig, asks, and writes it. Prints what the cluster's administrator needs.",
    group: "start",
    examples: [
      ["setup --context prod --oidc-issuer-url=https://id.example.com --oidc-client-id=kubernetes", "plan, ask, write"],
      ["setup --context prod --oidc-issuer-url=https://id.example.com --oidc-client-id=kubernetes --dry-run", "the plan alone, and what the administrator needs"],
      ["setup --context prod --undo", "put the context back as it was"],
    ],
    seeAlso: ["migrate", "doctor", "login"],
    session: true,
    outputs: ["json"],
  },
  migrate: {
    help: "take over users of kubelogin and auth-provider",
    about:
      "Rewrites the kubeconfig users that run kubelogin, use the former auth-provider oidc, or log people in with Azure's kubelogin, to run kubectl-oidc; the refresh tokens of the first two move along. Says what it cannot carry over. Run again, it finds nothing to do.",
    group: "start",
    examples: [
      ["migrate --dry-run", "what would change"],
      ["migrate", "every user of the kubeconfig, after a question"],
      ["migrate --context prod --yes", "the user of one context, without a question"],
      ["migrate --undo", "put the users back as they were"],
    ],
    seeAlso: ["setup", "status"],
    session: false,
    outputs: ["json"],
  },
  login: {
    help: "log in now and store the session",
    about: "Logs in now, whatever is cached, and says who you are, until when, and where the session is stored.",
    group: "start",
    examples: [
      ["login", "for the current context"],
      ["login --context prod", "for another one"],
      ["login --grant-type=device-code --qr", "with a code, on a machine without a browser"],
      ["login --oidc-issuer-url=https://id.example.com --oidc-client-id=kubernetes", "without a kubeconfig"],
    ],
    seeAlso: ["status", "logout", "doctor"],
    session: true,
    outputs: ["json"],
  },
  status: {
    help: "show the stored sessions, without any request",
    about: "Shows every stored session: issuer, account, expiry, storage, and which contexts use it. Asks nobody.",
    group: "start",
    examples: [
      ["status", "every session"],
      ["status -o json", "for programs"],
    ],
    seeAlso: ["whoami", "doctor"],
    session: false,
    outputs: ["json"],
  },
  whoami: {
    help: "show the token's claims beside whom the API server sees",
    about: "Shows the claims of the token beside what the API server answers, and whether it was this very token that it saw. Never asks a person.",
    group: "start",
    examples: [
      ["whoami", "at the current context's server"],
      ["whoami --context prod -o json", "for programs"],
    ],
    seeAlso: ["doctor", "status", "audit"],
    session: true,
    outputs: ["json"],
  },
  doctor: {
    help: "find what is wrong, and say how to mend it",
    about: "Checks program, kubectl, issuer, session and cluster, and gives a cure for what is wrong. Ends with the exit status of the first check that failed.",
    group: "mend",
    examples: [
      ["doctor", "for the current context"],
      ["doctor --context prod -o json", "for a bug report: there is no secret in it"],
    ],
    seeAlso: ["whoami", "status"],
    session: true,
    outputs: ["json"],
  },
  logout: {
    help: "revoke and delete the session",
    about: "Revokes the session at the issuer and deletes it here. Nothing stored is no error.",
    group: "mend",
    examples: [
      ["logout", "of the current context's session"],
      ["logout --sso", "and of the issuer's session in the browser"],
      ["logout --all", "everywhere, and forget the lists of servers"],
    ],
    seeAlso: ["login", "status"],
    session: true,
    outputs: ["json"],
  },
  trust: {
    help: "list, add or remove the API servers of a session",
    about: "A session may be used with the API servers of its list only: somebody else's kubeconfig must not get your token.",
    group: "mend",
    examples: [
      ["trust list", "the servers of the current context's session"],
      ["trust add --context staging", "the server of that context"],
      ["trust remove https://k8s.example.com:6443", ""],
    ],
    seeAlso: ["status"],
    session: true,
    outputs: ["json"],
    words: "list|add|remove [URL]",
  },
  audit: {
    help: "show the local audit log, or where a token came from",
    about:
      "Shows what this computer wrote down of logins, refreshes, tokens handed out, logouts and refusals, the newest first. With --jti: from a credential-id of the API server's audit log to the login that it came from. The log is written while the configuration file says audit: true. Asks nobody.",
    group: "mend",
    examples: [
      ["audit", "the newest 50 entries"],
      ["audit --since 24h --limit 0", "all of the last day"],
      ["audit --jti JTI=4f7c1d2a", "who got the token that the API server saw"],
      ["audit -o json", "for programs"],
    ],
    seeAlso: ["whoami", "status"],
    session: false,
    outputs: ["json"],
  },
  token: {
    help: "print the current token, for scripts",
    about: "Prints the current token, refreshed when needed. Never opens a browser and never asks a person (exit 20 when one is needed).",
    group: "program",
    examples: [
      ["token --context prod", ""],
      [`token -o header --context prod | curl -H @- https://k8s.example.com/version`, ""],
      ["token -o env --context prod", "OIDC_TOKEN=…"],
    ],
    seeAlso: ["login", "whoami"],
    session: true,
    outputs: ["json", "header", "env"],
  },
  "get-token": {
    help: "exec credential plugin: prints one ExecCredential for kubectl",
    about: "What kubectl runs: prints one ExecCredential, from the cache, after a refresh, or after a login.",
    group: "program",
    examples: [["get-token --oidc-issuer-url=https://id.example.com --oidc-client-id=kubernetes", "as args of an exec stanza"]],
    seeAlso: ["login", "doctor"],
    session: true,
    outputs: [],
  },
  completion: {
    help: "print a completion script for a shell",
    about: "Prints the script that completes kubectl-oidc. `kubectl oidc` is completed by kubectl itself, which asks kubectl_complete-oidc.",
    group: "program",
    examples: [
      ["completion bash", "source <(kubectl-oidc completion bash)"],
      ["completion zsh", "source <(kubectl-oidc completion zsh)"],
      ["completion fish", "kubectl-oidc completion fish | source"],
    ],
    seeAlso: [],
    session: false,
    outputs: [],
    words: "bash|zsh|fish|powershell",
  },
  version: {
    help: "show the version",
    about: "Shows the version of this program, its runtime and platform. Asks nobody, unless --check asks the npm registry for the newest one.",
    group: "program",
    examples: [
      ["version -o json", "with commit, form and keychain, for a bug report"],
      ["version --check", "is there a newer one?"],
    ],
    seeAlso: [],
    session: false,
    outputs: ["json"],
  },
} as const satisfies Record<string, CommandRow>;

export type CommandName = keyof typeof commandTable;

/** `name` → its row, with the types widened for readers. */
export const commandRow = (name: CommandName): CommandRow => commandTable[name];

export const isCommandName = (word: string): word is CommandName => Object.hasOwn(commandTable, word);
