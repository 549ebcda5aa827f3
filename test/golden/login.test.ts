import { resolve } from "node:path";
import { expect, it } from "vitest";
import { nothingChanged } from "../../src/app/login-failure.ts";
import type { Run } from "../../src/app/world.ts";
import { loggedInLines, nextCommand } from "../../src/cli/login-text.ts";
import { browserPathLines, otherFlowLine } from "../../src/core/browser-path.ts";
import type { Surroundings } from "../../src/core/surroundings.ts";
import type { ErrorCode } from "../../src/errors/catalogue.ts";
import { OidcError } from "../../src/errors/oidc-error.ts";
import { terminalLines } from "../../src/errors/render.ts";

// Every text that a person sees has a golden file; `npx vitest run test/golden -u` writes them anew, for a look at the difference.
// Whole sessions on a terminal: test/e2e/login-terminal.test.ts.
const golden = (name: string) => resolve(import.meta.dirname, "login", name);
const sections = (all: readonly (readonly [string, readonly string[]])[]) => all.map(([title, lines]) => `## ${title}\n\n${lines.join("\n")}\n`).join("\n");

const places: readonly (readonly [string, Surroundings])[] = [
  ["here", { kind: "local" }],
  ["SSH", { kind: "ssh", target: "ann@192.0.2.7", hasDisplay: false }],
  ["SSH on another port, nothing known of the person", { kind: "ssh", target: "-p 2222 HOST", hasDisplay: false }],
  ["WSL", { kind: "wsl" }],
  ["VS Code over SSH", { kind: "vscode", over: "ssh" }],
  ["VS Code in a container", { kind: "vscode", over: "container" }],
  ["VS Code through a tunnel", { kind: "vscode", over: "tunnel" }],
  ["a codespace in VS Code", { kind: "codespaces", hasHelper: true }],
  ["a codespace by ssh", { kind: "codespaces", hasHelper: false }],
  ["a dev container without VS Code", { kind: "dev-container" }],
  ["a container", { kind: "container" }],
];

it("the way of a browser elsewhere to this computer, in every surrounding", async () => {
  const path = { redirectUri: "http://localhost:8000", port: 8000, opens: false, mayPaste: true, isOpen: false, supportsDevice: true };
  const lines = places.map(
    ([name, where]) =>
      [
        name,
        [
          "a browser elsewhere, paste offered:",
          ...browserPathLines(where, path),
          "a browser elsewhere, no terminal:",
          ...browserPathLines(where, { ...path, mayPaste: false }),
          "the same, an issuer without device codes:",
          ...browserPathLines(where, { ...path, mayPaste: false, supportsDevice: false }),
          "opened from here:",
          ...browserPathLines(where, { ...path, opens: true }),
          "auto, none can be reached:",
          otherFlowLine(where, "device"),
          otherFlowLine(where, "paste"),
        ],
      ] as const,
  );
  await expect(sections(lines)).toMatchFileSnapshot(golden("surroundings.txt"));
});

it("the forwarded port is the redirect URL's, and what is bound here is at its other end", () => {
  const path = { port: 9000, opens: false, mayPaste: true, isOpen: false, supportsDevice: true };
  const ssh = { kind: "ssh", target: "ann@192.0.2.7", hasDisplay: false } as const;
  const of = (redirectUri: string) => browserPathLines(ssh, { ...path, redirectUri }).at(1);
  expect(of("http://localhost:8000/cb")).toBe("    ssh -L 8000:localhost:9000 ann@192.0.2.7");
  expect(of("http://127.0.0.1:8000")).toBe("    ssh -L 8000:127.0.0.1:9000 ann@192.0.2.7");
  expect(of("http://[::1]:8000")).toBe("    ssh -L 8000:[::1]:9000 ann@192.0.2.7");
  expect(of("https://localhost/cb")).toBe("    ssh -L 443:localhost:9000 ann@192.0.2.7");
  // A browser reaches that one by itself, or nothing here helps.
  expect(of("https://login.example.com/cb")).toBeUndefined();
  expect(browserPathLines({ ...ssh, hasDisplay: true }, { ...path, redirectUri: "http://localhost:8000", opens: true })).toEqual([]);
});

const failures: readonly (readonly [ErrorCode, ConstructorParameters<typeof OidcError>[1]])[] = [
  ["LOGIN_DENIED", { reason: "access_denied: the person said no" }],
  ["LOGIN_TIMED_OUT", { message: "nobody finished the login within 180 s" }],
  ["DEVICE_CODE_EXPIRED", {}],
  ["CLIENT_REJECTED", { reason: "invalid_client: unknown client" }],
  ["SCOPE_REJECTED", { reason: "invalid_scope" }],
  ["ACCOUNT_MISMATCH", {}],
  ["POLICY_NOT_MET", {}],
  ["ISSUER_UNREACHABLE", { reason: "connect ECONNREFUSED 192.0.2.1:443" }],
  ["INTERRUPTED", {}],
  ["LOGIN_REQUIRED", {}],
  ["KEYCHAIN_LOCKED", {}],
];
const runWith = (record: object | undefined) => ({ settings: { clientId: "kubernetes" }, session: { record } }) as unknown as Run;
const failed = (record: object | undefined) =>
  failures.map(([code, details]) => [code, terminalLines(nothingChanged(runWith(record), new OidcError(code, details)) as OidcError)] as const);

it("a login that failed says how, and that nothing was changed", async () => {
  await expect(sections(failed(undefined))).toMatchFileSnapshot(golden("failures.txt"));
  const lines = failed(undefined).map(([, [first = ""]]) => first);
  expect(new Set(lines).size).toBe(failures.length);
});

it("and what stays, when somebody was logged in before", async () => {
  await expect(sections(failed({ hasRefreshToken: true, displayName: "ann@example.com" }))).toMatchFileSnapshot(golden("failures-with-a-session.txt"));
});

it("what was not an error of ours stays one", () => {
  const fault = new TypeError("x");
  expect(nothingChanged(runWith(undefined), fault)).toBe(fault);
});

it("a login that succeeded says who, until when, where it lies and what to try", async () => {
  const facts = { issuer: "https://id.example.com", account: "ann@example.com", expiresAt: 1_790_000_000, now: 1_790_000_000 - 59 * 60 - 3 };
  const next = (context?: string, kubeconfig?: string) => nextCommand({ context, kubeconfig }, "linux");
  const lines = [
    ["with a context", loggedInLines({ ...facts, store: "the OS keychain" }, next("prod"))],
    ["with a context of another kubeconfig", loggedInLines({ ...facts, store: "/home/ann/.local/share/kubectl-oidc/refresh" }, next("my prod", "/tmp/kube config"))],
    ["without a context", loggedInLines({ ...facts, store: "docker-credential-pass" }, next())],
    ["without a refresh token", loggedInLines({ ...facts, store: undefined }, next("prod"))],
  ] as const;
  await expect(sections(lines)).toMatchFileSnapshot(golden("success.txt"));
});

it("a name that a shell or kubectl could take for something else is in no command", () => {
  for (const name of ["-x", "a'b", "a\u202eb", "$(reboot)' ; x", ""]) expect(nextCommand({ context: name, kubeconfig: undefined }, "linux"), name).toBe("kubectl oidc status");
  expect(nextCommand({ context: "$(reboot)", kubeconfig: undefined }, "linux")).toBe("kubectl get ns --context '$(reboot)'");
});
