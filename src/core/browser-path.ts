import { isLoopbackHost } from "./untrusted-text.ts";
import type { Surroundings } from "./surroundings.ts";

/** What decides how a browser elsewhere comes to our port. */
export interface BrowserPath {
  readonly redirectUri: string;
  /** That is bound here. */
  readonly port: number;
  /** A browser is opened from here. */
  readonly opens: boolean;
  /** The person may paste what the browser ends at. */
  readonly mayPaste: boolean;
  /** The port is bound on more than this localhost (`--allow-non-loopback`). */
  readonly isOpen: boolean;
  readonly supportsDevice: boolean;
}

const otherWay = (path: BrowserPath) => (path.mayPaste ? "paste its address here" : path.supportsDevice ? "use --grant-type=device-code" : "use --grant-type=authcode-keyboard");

/**
 * What the person must do so that their browser's last page reaches this program: lines for the terminal, commands on lines of their own.
 * None where nothing stands between them, and for a redirect URL that is not this computer's.
 */
export function browserPathLines(where: Surroundings, path: BrowserPath): readonly string[] {
  const redirect = new URL(path.redirectUri);
  if (!isLoopbackHost(redirect.hostname)) return [];
  const local = redirect.port === "" ? (redirect.protocol === "https:" ? "443" : "80") : redirect.port;
  switch (where.kind) {
    case "local":
      return [];
    case "ssh":
      if (where.hasDisplay && path.opens) return [];
      return [
        "kubectl-oidc: this is an SSH session; run this on your own machine, then open the URL there:",
        `    ssh -L ${local}:${redirect.hostname}:${path.port} ${where.target}`,
      ];
    case "wsl":
      return [`kubectl-oidc: this is WSL; if the last page does not load in Windows, ${otherWay(path)}`];
    case "vscode":
      if (where.over === "tunnel") return [`kubectl-oidc: the last page does not load through VS Code's tunnel; ${otherWay(path)}`];
      return [`kubectl-oidc: VS Code forwards port ${local} to your own machine; if the last page does not load there, ${otherWay(path)}`];
    case "codespaces":
      if (!where.hasHelper)
        return ["kubectl-oidc: this is a codespace; run this on your own machine, then open the URL there:", `    gh codespace ports forward ${path.port}:${local}`];
      return [`kubectl-oidc: VS Code forwards port ${local} to your own machine, but not to VS Code on the web; if the last page does not load, ${otherWay(path)}`];
    case "dev-container":
      if (path.opens) return [];
      return [`kubectl-oidc: this is a dev container; if the last page does not load, ${otherWay(path)}, or add ${path.port} to forwardPorts in devcontainer.json`];
    case "container":
      if (path.opens || path.isOpen) return [];
      return [
        `kubectl-oidc: this is a container; if the last page does not load, ${otherWay(path)}`,
        `kubectl-oidc: or publish its port (docker run -p 127.0.0.1:${local}:${path.port}) and add --listen-address=0.0.0.0:${path.port} --allow-non-loopback`,
      ];
    default:
      return where satisfies never;
  }
}

/** Why `auto` leaves the browser, and what takes its place. */
export function otherFlowLine(where: Surroundings, instead: "device" | "paste"): string {
  const way = instead === "device" ? "a device code takes its place" : "use one elsewhere and paste what it shows";
  if (where.kind === "vscode" && where.over === "tunnel") return `kubectl-oidc: VS Code's tunnel does not lead your browser back to this machine; ${way}`;
  const place = placeOf(where);
  return `kubectl-oidc: ${place === undefined ? "" : `this is ${place}: `}no browser can be reached from here; ${way}`;
}

function placeOf(where: Surroundings): string | undefined {
  switch (where.kind) {
    case "local":
      return undefined;
    case "ssh":
      return "an SSH session";
    case "wsl":
      return "WSL";
    case "vscode":
      return "a terminal of VS Code";
    case "codespaces":
      return "a codespace";
    case "dev-container":
      return "a dev container";
    case "container":
      return "a container";
    default:
      return where satisfies never;
  }
}
