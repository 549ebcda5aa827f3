/** A variable that the program reads, beside `KUBECTL_OIDC_…` of an option. `test/docs/environment.test.ts` compares this with the source. */
export interface VariableRow {
  readonly name: string;
  /** What it decides. */
  readonly help: string;
}

/** In the order of help, man page and `docs/reference/environment.md`. What each could do in a stranger's kubeconfig: `docs/explanation/environment.md`. */
export const variableTable: Readonly<Record<string, readonly VariableRow[]>> = {
  "From kubectl and for kubectl": [
    { name: "KUBERNETES_EXEC_INFO", help: "what kubectl asks for: API version, API server, spec.cluster.config (get-token; set by kubectl)" },
    { name: "KUBECONFIG", help: "kubeconfig files, as kubectl reads them (default ~/.kube/config)" },
    { name: "KUBECACHEDIR", help: "the store lies in its folder kubectl-oidc, unless --token-cache-dir says another" },
    { name: "KUBERC", help: "kubectl's preferences that doctor looks at (default ~/.kube/kuberc; off: none)" },
  ],
  Configuration: [{ name: "KUBECTL_OIDC_CONFIG", help: "another configuration file than yours; does not count under strict" }],
  "Logging in": [
    { name: "CI", help: "unless empty, 0 or false: get-token never opens a browser, shows a code or prompts" },
    { name: "BROWSER", help: "commands that open a URL, separated by : (by ; on Windows); %s is the URL" },
    { name: "DISPLAY", help: "with it, or with WAYLAND_DISPLAY, Linux has a browser" },
    { name: "WAYLAND_DISPLAY", help: "as DISPLAY" },
    { name: "SSH_CONNECTION", help: "an SSH session: macOS and Windows then have no browser, and the port-forward command names its address" },
    { name: "SSH_TTY", help: "as SSH_CONNECTION; with SSH_CONNECTION alone, VS Code's terminal is one over SSH" },
    { name: "SSH_CLIENT", help: "an SSH session" },
    { name: "USER", help: "whom the port-forward command names; or LOGNAME" },
    { name: "LOGNAME", help: "as USER" },
    { name: "VSCODE_IPC_HOOK_CLI", help: "with BROWSER: a terminal of VS Code on another machine" },
    { name: "REMOTE_CONTAINERS", help: "a dev container; DEVCONTAINER counts too" },
    { name: "DEVCONTAINER", help: "as REMOTE_CONTAINERS" },
    { name: "CODESPACES", help: "a codespace" },
    { name: "WSL_DISTRO_NAME", help: "WSL; WSL_INTEROP counts too" },
    { name: "WSL_INTEROP", help: "as WSL_DISTRO_NAME" },
    { name: "container", help: "a container; KUBERNETES_SERVICE_HOST counts too" },
    { name: "KUBERNETES_SERVICE_HOST", help: "as container" },
    { name: "TERM", help: "dumb: no line is written over while a login waits" },
    { name: "DBUS_SESSION_BUS_ADDRESS", help: "where the Secret Service is asked (Linux keychain)" },
    { name: "PATH", help: "where browser, credential helper and kubectl are found; relative entries are passed over" },
  ],
  Network: [
    { name: "HTTPS_PROXY", help: "proxy for https, by Go's rules; https_proxy counts too" },
    { name: "HTTP_PROXY", help: "proxy for http; http_proxy counts too" },
    { name: "NO_PROXY", help: "hosts, domains and CIDR that are reached without one; no_proxy counts too" },
    { name: "REQUEST_METHOD", help: "set by a web server's CGI: HTTP_PROXY then does not count" },
    { name: "SSL_CERT_FILE", help: "certificate authorities in place of the system's bundle (Linux, FreeBSD)" },
    { name: "NODE_EXTRA_CA_CERTS", help: "certificate authorities beside the system's" },
    { name: "npm_config_registry", help: "the registry that version --check asks (default https://registry.npmjs.org)" },
  ],
  "Places of our files": [
    { name: "XDG_DATA_HOME", help: "the store is in its folder kubectl-oidc (Linux; default ~/.local/share)" },
    { name: "XDG_CONFIG_HOME", help: "the configuration file is in its folder kubectl-oidc (Linux; default ~/.config)" },
    { name: "XDG_RUNTIME_DIR", help: "locks and journal when the store can hold none" },
    { name: "TMPDIR", help: "the same where there is no XDG_RUNTIME_DIR; TEMP on Windows" },
    { name: "HOME", help: "your folder, ~ in paths" },
    { name: "USERPROFILE", help: "the same on Windows" },
    { name: "LOCALAPPDATA", help: "where the store is on Windows" },
    { name: "APPDATA", help: "where the configuration file is on Windows" },
    { name: "ProgramData", help: "where the machine-wide configuration file is on Windows" },
  ],
  "Refused, taken away or only named": [
    { name: "NODE_TLS_REJECT_UNAUTHORIZED", help: "0 is refused (ENVIRONMENT_UNSAFE): it switches certificate checks off" },
    { name: "NODE_DEBUG", help: "refused by commands that make requests: Node would print secrets" },
    { name: "DEBUG", help: "removed, with DEBUG_…: packages would print secrets" },
    { name: "NODE_OPTIONS", help: "acts before us; taken away from what we start, and named by doctor" },
    { name: "BUN_OPTIONS", help: "the same in the standalone executable, with BUN_BE_BUN and BUN_INSPECT…" },
    { name: "NODE_PATH", help: "named by doctor, as are LD_PRELOAD, DYLD_INSERT_LIBRARIES and SSL_CERT_DIR" },
    { name: "NO_COLOR", help: "nothing to switch off: no colour is ever written" },
  ],
};
