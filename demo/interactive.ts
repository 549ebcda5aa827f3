import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { accounts } from "../test/issuer/accounts.ts";
import { hasKubectl } from "./clients.ts";
import { setStage, type Stage } from "./stage.ts";

/** The ports that docs/tutorial/first-login.md names; when one is taken the demo takes another and says so by what it prints. */
const ports = { issuer: 9443, api: 9444 } as const;

/** Leaves issuer and API server running for a person with a browser, and says what to paste in a second terminal. */
export async function interactive(): Promise<number> {
  const stage = await setStage({ scripted: false, ports });
  putOnPath(stage);
  const shell = writeEnvironment(stage);
  console.log(`issuer      ${stage.provider.issuer}  (its certificate is a throw-away one: your browser will warn once)`);
  console.log(`API server  ${stage.api.url}`);
  for (const [name, { password }] of Object.entries(accounts)) console.log(`${name === "alice" ? "log in as   " : "or as       "}${name} / ${password}`);
  if (!hasKubectl()) console.log("\nkubectl is not on the PATH; `kubectl-oidc …` works without it, `kubectl get pods` does not");
  console.log(`\nIn a second terminal, paste:\n\n  ${shell}\n  ${setupLine(stage)}\n\nand go on with docs/tutorial/first-login.md. Ctrl-C ends the demo and removes its folder.`);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await stage.strike();
  return 0;
}

/** `$DEMO` stands for the demo's folder, which is another one each time. */
const setupLine = ({ provider }: Stage) =>
  [
    "kubectl oidc setup",
    `--oidc-issuer-url=${provider.issuer}`,
    "--oidc-client-id=kubernetes",
    `--certificate-authority=${process.platform === "win32" ? "$env:DEMO\\" : "$DEMO/"}ca.pem`,
    "--token-cache-storage=disk",
  ].join(" ");

/** A folder with the program under its own name, as an installation has it. */
function putOnPath({ folder, plugin }: Stage): void {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const name of ["kubectl-oidc", "kubectl_complete-oidc"]) {
    const program = join(dirname(plugin), `${name}.cjs`);
    if (process.platform === "win32") writeFileSync(join(bin, `${name}.cmd`), `@"${process.execPath}" "${program}" %*\r\n`);
    else {
      chmodSync(program, 0o755);
      symlinkSync(program, join(bin, name));
    }
  }
}

/** Writes the file that gives a terminal the demo's kubeconfig and PATH; returns the line that reads it. */
function writeEnvironment({ folder, kubeconfig, env }: Stage): string {
  const variables = {
    DEMO: folder,
    KUBECONFIG: kubeconfig,
    // The session and its settings stay in the demo's folder.
    ...Object.fromEntries(["XDG_DATA_HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA", "APPDATA"].map((name) => [name, env[name] ?? ""])),
  };
  const file = join(folder, process.platform === "win32" ? "env.ps1" : "env");
  const bin = join(folder, "bin");
  const lines =
    process.platform === "win32"
      ? [...Object.entries(variables).map(([name, value]) => `$env:${name} = '${value}'`), `$env:PATH = '${bin}${delimiter}' + $env:PATH`]
      : [...Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`), `export PATH='${bin}':"$PATH"`];
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  return `. ${file}`;
}
