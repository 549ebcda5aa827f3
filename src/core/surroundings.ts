/** What is known of the place where this program runs. */
export interface SurroundingFacts {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Windows' own kernel is below this one. */
  readonly isWslKernel: boolean;
  /** A container's mark was found (`/.dockerenv`, `/run/.containerenv`). */
  readonly isContainer: boolean;
}

/**
 * Where this program runs, as seen from the person's browser: may it be opened from here, and does it reach a port on this localhost?
 * `local`: nothing stands between them.
 */
export type Surroundings =
  | { readonly kind: "local" | "wsl" | "dev-container" | "container" }
  /** `target`: the words after `ssh` that lead here, as far as they are known. */
  | { readonly kind: "ssh"; readonly target: string; readonly hasDisplay: boolean }
  /** A terminal of VS Code, whose window is on the person's machine and has a helper in $BROWSER that opens a URL there. */
  | { readonly kind: "vscode"; readonly over: "ssh" | "container" | "tunnel" }
  /** `hasHelper`: in a terminal of VS Code; else by `gh codespace ssh`. */
  | { readonly kind: "codespaces"; readonly hasHelper: boolean };

/**
 * By the variables that the programs in between set (VS Code's server, sshd, WSL's init), as Git Credential Manager goes by them. VS Code first:
 * its terminals inherit what brought its server here. sshd before containers and WSL: the person sits at its other end.
 */
export function surroundingsOf({ env, isWslKernel, isContainer }: SurroundingFacts): Surroundings {
  const is = (name: string) => Boolean(env[name]);
  const isWsl = !isContainer && (isWslKernel || is("WSL_DISTRO_NAME") || is("WSL_INTEROP"));
  const isDevContainer = is("REMOTE_CONTAINERS") || is("DEVCONTAINER");
  const hasHelper = is("VSCODE_IPC_HOOK_CLI") && is("BROWSER");
  if (is("CODESPACES")) return { kind: "codespaces", hasHelper };
  if (hasHelper && isDevContainer) return { kind: "vscode", over: "container" };
  // Its server was started over a connection without a terminal; who logs in by ssh has one.
  if (hasHelper && is("SSH_CONNECTION") && !is("SSH_TTY")) return { kind: "vscode", over: "ssh" };
  if (is("SSH_CONNECTION") || is("SSH_TTY") || is("SSH_CLIENT")) return { kind: "ssh", target: sshTarget(env), hasDisplay: is("DISPLAY") || is("WAYLAND_DISPLAY") };
  if (isWsl) return { kind: "wsl" };
  // code-server too, in a container or not: the Dev Containers extension would have said so.
  if (hasHelper) return { kind: "vscode", over: "tunnel" };
  if (isDevContainer) return { kind: "dev-container" };
  return { kind: isContainer || is("container") || is("KUBERNETES_SERVICE_HOST") ? "container" : "local" };
}

/** False where a browser can be opened and its way back to this localhost is cut: VS Code's tunnels carry other addresses only. */
export const browserComesBack = (where: Surroundings) => !(where.kind === "vscode" && where.over === "tunnel");

/**
 * `ann@192.0.2.7`, with the port when it is not ssh's own; `HOST` for what is not known. Plain names and addresses only: these words stand in a
 * command that the person pastes, and one that begins with `-` would be an option.
 */
function sshTarget(env: SurroundingFacts["env"]): string {
  const [, , address = "", port = ""] = (env["SSH_CONNECTION"] ?? "").split(" ");
  const user = [env["USER"], env["LOGNAME"]].find((name) => /^[A-Za-z_][\w.-]{0,63}$/.test(name ?? ""));
  const isAddress = /^[\dA-Fa-f][\dA-Fa-f:.]{1,44}$|^::[\dA-Fa-f:.]{1,43}$/.test(address);
  const host = `${user === undefined ? "" : `${user}@`}${isAddress ? address : "HOST"}`;
  return /^\d{1,5}$/.test(port) && port !== "22" ? `-p ${port} ${host}` : host;
}
