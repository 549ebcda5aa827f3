import { describe, expect, it } from "vitest";
import { browserComesBack, type SurroundingFacts, type Surroundings, surroundingsOf } from "../../src/core/surroundings.ts";

const ssh = { SSH_CONNECTION: "198.51.100.9 50022 192.0.2.7 22", SSH_TTY: "/dev/pts/3", USER: "ann" };
const vscode = { VSCODE_IPC_HOOK_CLI: "/run/user/1000/vscode-ipc.sock", BROWSER: "/home/ann/.vscode-server/bin/1/bin/helpers/browser.sh", TERM_PROGRAM: "vscode" };
const found = (env: SurroundingFacts["env"], more: Partial<SurroundingFacts> = {}) => surroundingsOf({ env, isWslKernel: false, isContainer: false, ...more });

describe("where this program runs", () => {
  it.each<[string, Surroundings, SurroundingFacts["env"], Partial<SurroundingFacts>?]>([
    ["a desktop", { kind: "local" }, { DISPLAY: ":0", USER: "ann" }],
    ["a desktop's VS Code, which needs no helper", { kind: "local" }, { DISPLAY: ":0", TERM_PROGRAM: "vscode", VSCODE_GIT_IPC_HANDLE: "/run/x" }],
    ["variables that are empty", { kind: "local" }, { SSH_CONNECTION: "", SSH_TTY: "", CODESPACES: "", VSCODE_IPC_HOOK_CLI: "", WSL_DISTRO_NAME: "", container: "" }],
    ["ssh", { kind: "ssh", target: "ann@192.0.2.7", hasDisplay: false }, ssh],
    ["ssh with a forwarded display", { kind: "ssh", target: "ann@192.0.2.7", hasDisplay: true }, { ...ssh, DISPLAY: "localhost:10.0" }],
    ["ssh into a container", { kind: "ssh", target: "ann@192.0.2.7", hasDisplay: false }, ssh, { isContainer: true }],
    ["ssh into WSL", { kind: "ssh", target: "ann@192.0.2.7", hasDisplay: false }, { ...ssh, WSL_DISTRO_NAME: "Debian" }, { isWslKernel: true }],
    ["WSL by its kernel", { kind: "wsl" }, {}, { isWslKernel: true }],
    ["WSL by its variables", { kind: "wsl" }, { WSL_DISTRO_NAME: "Debian" }],
    ["VS Code in WSL", { kind: "wsl" }, { ...vscode, WSL_DISTRO_NAME: "Debian" }, { isWslKernel: true }],
    ["a container on WSL", { kind: "container" }, {}, { isWslKernel: true, isContainer: true }],
    ["VS Code over ssh", { kind: "vscode", over: "ssh" }, { ...vscode, SSH_CONNECTION: ssh.SSH_CONNECTION }],
    ["ssh with VS Code's variables of another session (tmux)", { kind: "ssh", target: "ann@192.0.2.7", hasDisplay: false }, { ...vscode, ...ssh }],
    ["VS Code in a dev container", { kind: "vscode", over: "container" }, { ...vscode, REMOTE_CONTAINERS: "true" }, { isContainer: true }],
    ["code-server in a container", { kind: "vscode", over: "tunnel" }, vscode, { isContainer: true }],
    ["VS Code's tunnel", { kind: "vscode", over: "tunnel" }, vscode],
    ["a dev container without VS Code", { kind: "dev-container" }, { REMOTE_CONTAINERS: "true" }, { isContainer: true }],
    ["a codespace", { kind: "codespaces", hasHelper: true }, { ...vscode, CODESPACES: "true", REMOTE_CONTAINERS: "true" }, { isContainer: true }],
    ["a codespace by ssh", { kind: "codespaces", hasHelper: false }, { ...ssh, CODESPACES: "true" }, { isContainer: true }],
    ["docker and podman", { kind: "container" }, {}, { isContainer: true }],
    ["systemd's containers", { kind: "container" }, { container: "systemd-nspawn" }],
    ["a pod", { kind: "container" }, { KUBERNETES_SERVICE_HOST: "10.0.0.1" }],
  ])("%s", (_, where, env, more) => expect(found(env, more)).toEqual(where));

  it("a browser that is opened comes back everywhere but through VS Code's tunnel", () => {
    expect(browserComesBack(found(vscode))).toBe(false);
    expect([ssh, {}, { ...vscode, REMOTE_CONTAINERS: "true" }, { ...vscode, CODESPACES: "1" }].map((env) => browserComesBack(found(env)))).toEqual([true, true, true, true]);
  });

  it.each([
    ["192.0.2.7 22", "ann", "ann@192.0.2.7"],
    ["192.0.2.7 2222", "ann", "-p 2222 ann@192.0.2.7"],
    ["2001:db8::7 22", "ann", "ann@2001:db8::7"],
    ["::1 22", "ann", "ann@::1"],
    ["192.0.2.7 22", "", "192.0.2.7"],
    ["", "ann", "ann@HOST"],
    ["-oProxyCommand=x 22", "ann", "ann@HOST"],
    ["192.0.2.7;reboot 22", "ann", "ann@HOST"],
    ["$(reboot) 22", "-oProxyCommand=x", "HOST"],
    ["192.0.2.7 $(x)", "ann;x", "192.0.2.7"],
    ["192.0.2.7 22", "ann\u001b[2J", "192.0.2.7"],
  ])("the way back by ssh holds names and addresses only: %j, %j", (server, user, target) => {
    expect(found({ SSH_CONNECTION: `198.51.100.9 50022 ${server}`, USER: user })).toMatchObject({ target });
  });
});
