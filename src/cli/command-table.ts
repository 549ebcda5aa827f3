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
  /** Takes `--context` and `--kubeconfig`. */
  readonly context: boolean;
  /** Values of `-o`. */
  readonly outputs: readonly string[];
  /** Words after the command, as usage shows them. */
  readonly words?: string;
}

/** The commands, in the order of the help. */
export const commandTable = {
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
    context: true,
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
    context: false,
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
    seeAlso: ["doctor", "status"],
    session: true,
    context: true,
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
    context: true,
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
    context: true,
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
    context: true,
    outputs: ["json"],
    words: "list|add|remove [URL]",
  },
  token: {
    help: "print the current token, for scripts",
    about: "Prints the current token, refreshed when needed. Never opens a browser and never asks a person (exit 20 when one is needed).",
    group: "program",
    examples: [
      ["token --context prod", ""],
      [`token -o header --context prod | curl -H @- https://k8s.example.com/version`, ""],
      ["token -o env --context prod >> $GITHUB_ENV", "OIDC_TOKEN=…"],
    ],
    seeAlso: ["login", "whoami"],
    session: true,
    context: true,
    outputs: ["json", "header", "env"],
  },
  "get-token": {
    help: "exec credential plugin: prints one ExecCredential for kubectl",
    about: "What kubectl runs: prints one ExecCredential, from the cache, after a refresh, or after a login.",
    group: "program",
    examples: [["get-token --oidc-issuer-url=https://id.example.com --oidc-client-id=kubernetes", "as args of an exec stanza"]],
    seeAlso: ["login", "doctor"],
    session: true,
    context: false,
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
    context: false,
    outputs: [],
    words: "bash|zsh|fish|powershell",
  },
  version: {
    help: "show the version",
    about: "Shows the version of this program and of Node.",
    group: "program",
    examples: [["version -o json", ""]],
    seeAlso: [],
    session: false,
    context: false,
    outputs: ["json"],
  },
} as const satisfies Record<string, CommandRow>;

export type CommandName = keyof typeof commandTable;

/** `name` → its row, with the types widened for readers. */
export const commandRow = (name: CommandName): CommandRow => commandTable[name];
