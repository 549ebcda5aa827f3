/** A folder of ours, by platform. */
export interface FolderRow {
  readonly name: "DATA" | "CONFIG" | "MACHINE" | "RUN";
  readonly help: string;
  readonly linux: string;
  readonly macos: string;
  readonly windows: string;
}

export const folderTable: readonly FolderRow[] = [
  {
    name: "DATA",
    help: "the store; --token-cache-dir or KUBECACHEDIR moves it",
    linux: "$XDG_DATA_HOME/kubectl-oidc, else ~/.local/share/kubectl-oidc",
    macos: "~/Library/Application Support/kubectl-oidc",
    windows: "%LOCALAPPDATA%\\kubectl-oidc\\Data",
  },
  {
    name: "CONFIG",
    help: "your configuration",
    linux: "$XDG_CONFIG_HOME/kubectl-oidc, else ~/.config/kubectl-oidc",
    macos: "~/Library/Preferences/kubectl-oidc",
    windows: "%APPDATA%\\kubectl-oidc\\Config",
  },
  {
    name: "MACHINE",
    help: "the administrator's configuration",
    linux: "/etc/kubectl-oidc",
    macos: "/Library/Application Support/kubectl-oidc",
    windows: "%ProgramData%\\kubectl-oidc",
  },
  {
    name: "RUN",
    help: "used when DATA can hold no lock (read-only, full)",
    linux: "$XDG_RUNTIME_DIR/kubectl-oidc, else /tmp/kubectl-oidc-UID",
    macos: "$TMPDIR/kubectl-oidc-UID",
    windows: "%TEMP%\\kubectl-oidc",
  },
];

/** A file that is written or read. `test/docs/files.test.ts` compares the ones in DATA with what the program leaves behind. */
export interface FileRow {
  /** Below a folder of `folderTable`, or as a person would write it. */
  readonly path: string;
  readonly help: string;
}

/** All of these are 0600 in folders 0700, written whole and durably (the audit log line by line), and refused when another user could have written them. */
export const writtenFiles: readonly FileRow[] = [
  { path: "DATA/sessions/KEY.json", help: "a session: issuer, client, account, when it ends; no secret" },
  { path: "DATA/credentials/KEY.json", help: "the short-lived token (--id-token-cache=disk)" },
  { path: "DATA/refresh/HASH.json", help: "the refresh token, only with --token-cache-storage=disk" },
  { path: "DATA/client-secrets/HASH", help: "a client secret that setup was given, or migrate found in a kubeconfig; nothing removes it" },
  { path: "DATA/adopted/KEY", help: "a session that migrate is moving: digests of tokens, and where the old copy lies; gone at its end" },
  { path: "DATA/memo/HASH.json", help: "a call that was judged before: the next one like it needs no more than this" },
  { path: "DATA/asked/KEY.N", help: "what a client was handed last: a token that comes back too early was refused" },
  { path: "DATA/issuers/HASH.json", help: "discovery document and keys of an issuer, sealed, for six hours" },
  { path: "DATA/pauses/KEY.json", help: "a login that did not succeed: no browser opens by itself for a while" },
  { path: "DATA/refreshes/KEY.json", help: "how the last refresh ended, for calls that waited for it" },
  { path: "DATA/journal/HASH", help: "a new refresh token that its store did not take, encrypted; in RUN when DATA is full" },
  { path: "DATA/locks/renewal-NAME", help: "which call renews this token just now; goes with it" },
  { path: "DATA/locks/NAME", help: "files that locks are held on; NAME.lease beside them on shared file systems" },
  { path: "DATA/audit/audit.N.jsonl", help: "the audit log, while the configuration file says audit: true; the highest N is the newest, six are kept; no secret" },
  { path: "DATA/…/NAME.corrupt", help: "a file that could not be read, moved aside" },
  { path: "PACKAGE/compiled/NAME", help: "what Node made of the npm program's code; beside it, of mode 0644, and only where the package is your own" },
];

/** Files of others that `setup` and `migrate` change, after a question. Owner, mode, comments and order stay. */
export const changedFiles: readonly FileRow[] = [
  { path: "~/.kube/config", help: "kubeconfig, or a file of KUBECONFIG (setup, migrate)" },
  { path: "FILE.before-kubectl-oidc", help: "the kubeconfig FILE as it was before the first change, of its mode; --undo reads it, and removes it when all is undone" },
  { path: "FILE.lock", help: "kubectl's own lock, while FILE is written" },
  { path: "~/.kube/cache/oidc-login/HASH", help: "kubelogin's copy of a session; migrate removes the one that it has moved" },
  { path: "CONFIG/config.yaml", help: "setup --harden writes strict, issuer and client into it" },
];

export const readFiles: readonly FileRow[] = [
  { path: "CONFIG/config.yaml", help: "your configuration file (kubectl oidc help config); nobody else may be able to write it" },
  { path: "MACHINE/config.yaml", help: "the machine's" },
  { path: "~/.kube/config", help: "kubeconfig, or the files of KUBECONFIG" },
  { path: "~/.kube/cache/oidc-login/HASH", help: "kubelogin's cache, read by migrate; a stanza's --token-cache-dir or KUBECACHEDIR too" },
  { path: "~/.kube/kuberc", help: "kubectl's preferences, read by doctor" },
  { path: "/etc/ssl/certs/ca-certificates.crt", help: "the system's certificate authorities (Linux; other distributions' places too)" },
];
