/**
 * Every error a person can meet, as data. The exit status says who must act (docs/adr/0004-error-statuses.md):
 * 2 the person at the keyboard, 20 log in, 30 the issuer or the network, 40 whoever wrote the kubeconfig,
 * 50 this computer. Codes are permanent: new ones may be added, none is renamed or moved.
 * Title: at most 60 characters, lower case, no full stop. `docs/reference/errors.md` is generated from this table.
 */
interface CatalogueEntry {
  readonly title: string;
  readonly explanation: string;
  readonly hint: string;
  readonly exit: 1 | 2 | 20 | 30 | 40 | 50 | 130;
}

export const catalogue = {
  UNEXPECTED: {
    title: "something went wrong inside kubectl-oidc",
    explanation: "A fault of this program. Nothing that was stored has been removed.",
    hint: "run the command again with -v4 and report what it prints",
    exit: 1,
  },
  FLAG_INVALID: {
    title: "an option is not valid",
    explanation: "An option of this command line is unknown, has no value, or has a value that it cannot have.",
    hint: "run: kubectl oidc help",
    exit: 2,
  },
  FLAG_CONFLICT: {
    title: "two options contradict each other",
    explanation: "Two options were given that cannot be used together.",
    hint: "remove one of the two options",
    exit: 2,
  },
  COMMAND_UNKNOWN: {
    title: "unknown command",
    explanation: "The first word is not a command of kubectl-oidc.",
    hint: "run: kubectl oidc help",
    exit: 2,
  },
  CONFIRMATION_REQUIRED: {
    title: "nobody has agreed to the change",
    explanation: "A command that changes a kubeconfig asks first. The answer was no, or nobody could be asked. Nothing was changed.",
    hint: "add --yes to agree, or --dry-run to see the plan",
    exit: 2,
  },
  LOGIN_REQUIRED: {
    title: "not logged in",
    explanation: "No usable session is stored, and this call may not open a browser, show a code or prompt.",
    hint: "run: kubectl oidc login",
    exit: 20,
  },
  LOGIN_DENIED: {
    title: "the login was denied",
    explanation: "You or the issuer refused the login. Nothing was changed.",
    hint: "run: kubectl oidc login",
    exit: 20,
  },
  LOGIN_TIMED_OUT: {
    title: "nobody finished the login in time",
    explanation: "The login page was not completed before the deadline. Nothing was changed.",
    hint: "run: kubectl oidc login",
    exit: 20,
  },
  DEVICE_CODE_EXPIRED: {
    title: "the device code expired before it was confirmed",
    explanation: "The issuer ended this device code. Nothing was changed.",
    hint: "run: kubectl oidc login --grant-type=device-code",
    exit: 20,
  },
  SESSION_REVOKED: {
    title: "the issuer no longer accepts the stored session",
    explanation: "The refresh token was refused (revoked, expired or already used), so a person must log in again.",
    hint: "run: kubectl oidc login",
    exit: 20,
  },
  LOGIN_PAUSED: {
    title: "logins are paused after one that did not succeed",
    explanation: "The last login failed, was cancelled or went unanswered. No browser opens by itself for a while, so that tools which retry do not open one tab after the other.",
    hint: "run: kubectl oidc login",
    exit: 20,
  },
  ACCOUNT_MISMATCH: {
    title: "the issuer returned another account than the one asked for",
    explanation: "The login ended with a different identity than --account or the stored session names. It was not stored.",
    hint: "run: kubectl oidc login --prompt=select_account",
    exit: 20,
  },
  POLICY_NOT_MET: {
    title: "the login did not meet the required policy",
    explanation: "The issuer's answer does not prove what --acr-values, --max-age, --prompt=login, --session-max-age or --dpop=always asked for.",
    hint: "run: kubectl oidc login",
    exit: 20,
  },
  ISSUER_UNREACHABLE: {
    title: "the issuer cannot be reached or does not answer properly",
    explanation: "A network fault, a time-out, or an answer that is a server fault. The stored session is kept.",
    hint: "check the network, the VPN and the proxy (HTTPS_PROXY, NO_PROXY), then try again",
    exit: 30,
  },
  ISSUER_TLS_UNTRUSTED: {
    title: "the issuer's TLS certificate is not trusted",
    explanation: "The certificate is self-signed, expired, for another name, or from a certificate authority that is not known here.",
    hint: "add the issuer's CA: --certificate-authority=FILE",
    exit: 30,
  },
  ISSUER_MISMATCH: {
    title: "the discovery document names another issuer",
    explanation: "OpenID Connect Discovery 4.3: the issuer in the document must equal the configured one, byte for byte.",
    hint: "set --oidc-issuer-url to exactly what the issuer calls itself",
    exit: 30,
  },
  DISCOVERY_INVALID: {
    title: "the discovery document cannot be used",
    explanation: "There is no valid OpenID Connect discovery document under the issuer's URL.",
    hint: "check --oidc-issuer-url; its /.well-known/openid-configuration must be a JSON document",
    exit: 30,
  },
  CLIENT_REJECTED: {
    title: "the issuer rejected this client or its request",
    explanation: "The client ID, its secret, key or certificate, the redirect URL or the kind of client does not match its registration.",
    hint: "check the client's registration at the issuer: ID, secret, public or confidential, redirect URLs",
    exit: 30,
  },
  SCOPE_REJECTED: {
    title: "the issuer rejected a scope",
    explanation: "One of the requested scopes is not allowed for this client.",
    hint: "check --oidc-extra-scope against the client's registration",
    exit: 30,
  },
  ID_TOKEN_MISSING: {
    title: "the issuer's answer holds no usable token",
    explanation: "The token answer has no ID token (or, with --oidc-use-access-token, no access token that is a JWT).",
    hint: "check that the client may use the scope openid, or use --oidc-use-access-token",
    exit: 30,
  },
  ID_TOKEN_INVALID: {
    title: "the issuer's token failed verification",
    explanation: "Signature, issuer, audience, nonce, times or another claim of the token is wrong. It was not used.",
    hint: "check this computer's clock and the client's registration at the issuer",
    exit: 30,
  },
  GRANT_UNSUPPORTED: {
    title: "the issuer does not support this grant",
    explanation: "The issuer does not offer the grant that --grant-type selects, or not to this client; or not what --dpop=always asks for.",
    hint: "choose another --grant-type, or allow the grant for this client at the issuer",
    exit: 30,
  },
  API_SERVER_UNREACHABLE: {
    title: "the Kubernetes API server cannot be reached",
    explanation: "A network or TLS fault between this computer and the API server of the context.",
    hint: "run: kubectl cluster-info",
    exit: 30,
  },
  RELEASES_UNREACHABLE: {
    title: "the newest version cannot be learnt",
    explanation: "For `version --check` the program asks the npm registry (npm_config_registry, where a company has its own) for the newest version, and it did not answer.",
    hint: "try again, or look at https://github.com/kubectl-oidc/kubectl-oidc/releases",
    exit: 30,
  },
  SETTINGS_INCOMPLETE: {
    title: "a required setting is missing",
    explanation: "Issuer and client ID are needed, and nothing gives them; or several sessions match and none is named.",
    hint: "add --oidc-issuer-url and --oidc-client-id, or use --context",
    exit: 40,
  },
  SETTINGS_INVALID: {
    title: "a setting is not valid",
    explanation: "An environment variable, a kubeconfig stanza, a profile or a configuration file holds a value that cannot be used.",
    hint: "correct the value that is named",
    exit: 40,
  },
  SUBJECT_TOKEN_INVALID: {
    title: "the subject token cannot be used",
    explanation:
      "A machine logs in with a token of its platform (GitHub, GitLab, Kubernetes, SPIFFE, a file, a command). It is missing, has expired, is not in the expected form, is for somebody else, or the issuer does not accept it.",
    hint: "check the platform that writes the token, and what the issuer trusts",
    exit: 40,
  },
  EXEC_INFO_INVALID: {
    title: "KUBERNETES_EXEC_INFO is not a valid ExecCredential",
    explanation: "kubectl hands its request over in this variable, as JSON. What is there cannot be read.",
    hint: "unset KUBERNETES_EXEC_INFO, or check the tool that sets it",
    exit: 40,
  },
  API_VERSION_UNSUPPORTED: {
    title: "the exec credential API version is not supported",
    explanation: "Supported are client.authentication.k8s.io/v1 and client.authentication.k8s.io/v1beta1.",
    hint: "set apiVersion: client.authentication.k8s.io/v1 in the kubeconfig's exec stanza",
    exit: 40,
  },
  CONTEXT_NOT_FOUND: {
    title: "the kubeconfig has no such context with an OIDC exec stanza",
    explanation: "The context is missing, has no user, or its user does not run kubectl-oidc or kubelogin.",
    hint: "run: kubectl config get-contexts",
    exit: 40,
  },
  KUBECONFIG_UNREADABLE: {
    title: "the kubeconfig cannot be read",
    explanation: "The file is missing, may not be read, or is not a kubeconfig.",
    hint: "run: kubectl config view",
    exit: 40,
  },
  SERVER_NOT_TRUSTED: {
    title: "this session may not be used with this API server",
    explanation: "The session's server list does not name the API server that asks. A token given to a wrong server can be replayed.",
    hint: "if you trust that server, run: kubectl oidc trust add --context NAME",
    exit: 40,
  },
  TOKEN_REFUSED: {
    title: "the API server does not accept the token",
    explanation: "The API server answered 401 to a token that is good: it trusts another issuer, audience or algorithm, or cannot reach the issuer.",
    hint: "compare the API server's --oidc-* flags or AuthenticationConfiguration with: kubectl oidc whoami",
    exit: 40,
  },
  KUBECONFIG_UNWRITABLE: {
    title: "the kubeconfig cannot be written",
    explanation: "The kubeconfig, or the file beside it that keeps its former text, cannot be written, is locked by another program, or has changed meanwhile.",
    hint: "check the owner and the mode of the kubeconfig and of its folder",
    exit: 50,
  },
  KEYCHAIN_UNAVAILABLE: {
    title: "the OS keychain cannot be used",
    explanation: "No keychain service answers in this session (no Secret Service on the session bus, for one).",
    hint: "start a keychain service (gnome-keyring, KWallet), or choose another place: --token-cache-storage=disk",
    exit: 50,
  },
  KEYCHAIN_LOCKED: {
    title: "the OS keychain is locked",
    explanation: "The keychain must be unlocked by you before a stored session can be read or written.",
    hint: "unlock the keychain, or run: kubectl oidc login",
    exit: 50,
  },
  KEYCHAIN_TIMED_OUT: {
    title: "the OS keychain did not answer in time",
    explanation: "The keychain service hangs or waits for a dialog that nobody answers.",
    hint: "unlock or restart the keychain service, then try again",
    exit: 50,
  },
  STORE_UNREADABLE: {
    title: "a stored file cannot be read",
    explanation: "A file of the session store is damaged, of a newer version, or may not be read.",
    hint: "check the file that is named, or run: kubectl oidc login",
    exit: 50,
  },
  STORE_UNWRITABLE: {
    title: "the session store cannot be written",
    explanation: "The folder is read-only, the disk is full, or the operating system refused the write.",
    hint: "make the folder writable, or choose another with --token-cache-dir",
    exit: 50,
  },
  STORE_UNSAFE: {
    title: "a stored file is not safe to use",
    explanation: "A file or folder of the store belongs to another user, can be written by others, or is a link.",
    hint: "check owner and mode of the file that is named (0600, folders 0700)",
    exit: 50,
  },
  ENVIRONMENT_UNSAFE: {
    title: "the environment switches security off",
    explanation: "NODE_TLS_REJECT_UNAUTHORIZED=0 turns off certificate checks for every connection of this program; NODE_DEBUG has Node print what is secret.",
    hint: "unset NODE_TLS_REJECT_UNAUTHORIZED; add a CA with --certificate-authority",
    exit: 50,
  },
  AUDIT_ENTRY_NOT_FOUND: {
    title: "the audit log has no entry of this token",
    explanation:
      "No line of this computer's audit log names it: the log was off when the token came, it came on another computer or to another user, or its lines were rotated away.",
    hint: "check that the configuration file says audit: true, and that this is the computer and the user that got the token",
    exit: 50,
  },
  LOCK_TIMED_OUT: {
    title: "another kubectl-oidc process holds the session for too long",
    explanation: "The session's refresh lock could not be had in time.",
    hint: "try again; if it stays, end the process that is named",
    exit: 50,
  },
  PORTS_IN_USE: {
    title: "none of the callback ports can be used",
    explanation: "The login's answer is received on a local port, and every allowed one is taken.",
    hint: "end the program that holds the port, or register and use another: --listen-address=127.0.0.1:PORT",
    exit: 50,
  },
  BROWSER_UNAVAILABLE: {
    title: "no browser can be opened and no other way to log in is left",
    explanation: "This computer has no browser that can be reached, and the issuer offers no device authorization.",
    hint: "run: kubectl oidc login --grant-type=authcode-keyboard",
    exit: 50,
  },
  INTERRUPTED: {
    title: "interrupted",
    explanation: "Ended by Ctrl-C, by a signal, or because the program that started this one is gone.",
    hint: "run the command again",
    exit: 130,
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;

/** `code` → its entry, with the exit status widened for callers. */
export function entryOf(code: ErrorCode): CatalogueEntry {
  return catalogue[code];
}

/** True for the name of an error of ours, as it stands in a file. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(catalogue, value);
}
