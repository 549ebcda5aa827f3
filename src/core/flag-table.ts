/**
 * Every option of a session, as data: the command line, the environment, the configuration file, cluster.config, completion and
 * the docs read this table. Names follow kube-apiserver and int128/kubelogin (cli.md, "Options of a session").
 */
export type OptionKind = "text" | "list" | "pairs" | "boolean" | "integer" | "duration" | "path" | "paths";

export interface OptionRow {
  /** Without dashes. */
  readonly name: string;
  readonly kind: OptionKind;
  readonly help: string;
  readonly values?: readonly string[];
  /** May come from `spec.cluster.config`: says who and for what, nothing that weakens security. */
  readonly fromCluster?: true;
  /** Its value must not be stored or shown. */
  readonly secret?: true;
  /** Accepted for kubelogin's sake and not shown in help. */
  readonly hidden?: true;
}

/** `subject-token`: the platform's own token is handed through, without an exchange. */
export const grants = ["auto", "authcode", "authcode-keyboard", "device-code", "client-credentials", "token-exchange", "jwt-bearer", "subject-token", "password"] as const;

/** Where a machine's own token comes from (cli.md M16). */
export const identityKinds = ["auto", "file", "github", "gitlab", "kubernetes", "command"] as const;

export const wishes = ["auto", "always", "never"] as const;

export const optionTable = [
  { name: "oidc-issuer-url", kind: "text", fromCluster: true, help: "issuer URL, compared byte for byte (required)" },
  { name: "oidc-client-id", kind: "text", fromCluster: true, help: "client ID (required)" },
  { name: "oidc-client-secret-file", kind: "path", help: "file with the client secret" },
  { name: "oidc-client-secret", kind: "text", secret: true, help: "client secret (other users can read it; prefer the file)" },
  { name: "oidc-extra-scope", kind: "list", fromCluster: true, help: "further scopes; openid and offline_access are automatic" },
  { name: "no-offline-access", kind: "boolean", help: "do not ask for offline_access" },
  { name: "grant-type", kind: "text", values: grants, help: "how to log in (default auto)" },
  { name: "listen-address", kind: "list", help: "callback address HOST:PORT (default 127.0.0.1:8000, 127.0.0.1:18000; port 0: any)" },
  { name: "allow-non-loopback", kind: "boolean", help: "allow a callback address that others can reach (containers)" },
  { name: "oidc-redirect-url", kind: "text", help: "redirect URL (default http://localhost:PORT)" },
  { name: "oidc-pkce-method", kind: "text", help: "S256, always" },
  { name: "oidc-use-access-token", kind: "boolean", help: "hand out the access token instead of the ID token" },
  { name: "oidc-auth-request-extra-params", kind: "pairs", secret: true, help: "k=v for the authorization request" },
  { name: "oidc-request-header", kind: "pairs", secret: true, help: "k=v header for requests to the issuer's origin" },
  { name: "oidc-audience", kind: "list", fromCluster: true, help: "audience of the token, of one cluster (RFC 8707, RFC 8693)" },
  { name: "account", kind: "text", fromCluster: true, help: "the account to log in with; part of the session" },
  { name: "acr-values", kind: "text", fromCluster: true, help: "authentication context, asked for and verified" },
  { name: "max-age", kind: "integer", fromCluster: true, help: "seconds since the last authentication, verified" },
  { name: "prompt", kind: "text", help: "OpenID Connect prompt: login, consent, select_account" },
  { name: "certificate-authority", kind: "paths", help: "PEM file added to the system's certificate authorities" },
  { name: "certificate-authority-data", kind: "list", help: "the same as base64" },
  { name: "insecure-skip-tls-verify", kind: "boolean", help: "do not check the issuer's certificate (dangerous)" },
  { name: "browser-command", kind: "text", help: "command that opens a URL (default $BROWSER, then the system's)" },
  { name: "skip-open-browser", kind: "boolean", help: "only print the URL" },
  { name: "authentication-timeout-sec", kind: "integer", help: "seconds for a login (default 180)" },
  { name: "local-server-cert", kind: "path", help: "certificate for an HTTPS callback" },
  { name: "local-server-key", kind: "path", help: "its key" },
  { name: "open-url-after-authentication", kind: "text", help: "page to show after the login" },
  { name: "username", kind: "text", help: "password grant: user name" },
  { name: "password-file", kind: "path", help: "password grant: file with the password" },
  { name: "password", kind: "text", secret: true, help: "password grant: password (other users can read it)" },
  { name: "client-key-file", kind: "path", help: "private key of the client (PEM or JWK), for private_key_jwt" },
  { name: "client-key-id", kind: "text", help: "its key ID (kid)" },
  { name: "client-certificate", kind: "path", help: "certificate of the client (PEM), for mutual TLS" },
  { name: "client-key", kind: "path", help: "its private key (PEM)" },
  { name: "identity", kind: "text", values: identityKinds, help: "where this machine's own token comes from" },
  { name: "subject-token-file", kind: "path", help: "file with this machine's own token, read anew each time" },
  { name: "subject-token-command", kind: "text", help: "command that prints this machine's own token" },
  { name: "subject-token-variable", kind: "text", help: "variable of a GitLab job with its ID token (default GITLAB_OIDC_TOKEN)" },
  { name: "subject-token-context", kind: "text", help: "kubeconfig context whose cluster issues the service account's token" },
  { name: "subject-token-service-account", kind: "text", help: "NAMESPACE/NAME of that service account" },
  { name: "subject-token-audience", kind: "text", help: "audience to ask the platform for (default the issuer)" },
  { name: "subject-token-type", kind: "text", help: "type of that token (RFC 8693; default jwt)" },
  { name: "requested-token-type", kind: "text", help: "type of token to exchange for (RFC 8693; default access_token)" },
  { name: "par", kind: "text", values: wishes, help: "push the authorization request (RFC 9126; default auto)" },
  { name: "dpop", kind: "text", values: wishes, help: "bind the session to a key (RFC 9449; default auto)" },
  { name: "session-max-age", kind: "duration", help: "log in again after this time, whatever the issuer allows" },
  { name: "token-cache-storage", kind: "text", help: "refresh token in keyring, helper:NAME, disk or none (default keyring)" },
  { name: "id-token-cache", kind: "text", values: ["disk", "keyring", "none"], help: "short-lived token on disk, in the keyring, or none" },
  { name: "token-cache-dir", kind: "path", help: "folder of the store" },
  { name: "min-validity", kind: "duration", help: "refresh when less is left (default 60s)" },
  { name: "credential-ttl", kind: "duration", help: "how long a client may keep the credential (default 5m)" },
  { name: "force-refresh", kind: "boolean", help: "refresh even when the token is still good" },
  { name: "non-interactive", kind: "boolean", help: "never open a browser, show a code or prompt" },
  { name: "profile", kind: "text", fromCluster: true, help: "named profile of the configuration file" },
  { name: "qr", kind: "boolean", help: "show the device URL as a QR code too" },
  { name: "oidc-use-pkce", kind: "boolean", hidden: true, help: "kubelogin's: PKCE is always used" },
] as const satisfies readonly OptionRow[];

export type OptionName = (typeof optionTable)[number]["name"];

/** klog's and kubelogin's flags that are accepted and have no effect. `true`: the flag takes a value. */
export const ignoredFlags: Readonly<Record<string, boolean>> = {
  "add-dir-header": false,
  alsologtostderr: false,
  "log-backtrace-at": true,
  "log-dir": true,
  "log-file": true,
  "log-file-max-size": true,
  logtostderr: false,
  "one-output": false,
  "skip-headers": false,
  "skip-log-headers": false,
  stderrthreshold: true,
  vmodule: true,
  "tls-renegotiation-once": false,
  "tls-renegotiation-freely": false,
};

const rows: ReadonlyMap<string, OptionRow> = new Map(optionTable.map((row) => [row.name, row]));

/** The row of an option name (without dashes), or undefined. */
export function optionRow(name: string): OptionRow | undefined {
  return rows.get(name);
}

/** `oidc-issuer-url` → `KUBECTL_OIDC_ISSUER_URL`. */
export function environmentName(option: string): string {
  return `KUBECTL_OIDC_${option
    .replace(/^oidc-/, "")
    .replaceAll("-", "_")
    .toUpperCase()}`;
}
