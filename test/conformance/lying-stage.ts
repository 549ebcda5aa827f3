import { expect } from "vitest";
import { type Ended, errorCode, type Home, newHome, runWithBrowser } from "../e2e/program.ts";
import { type Behaviour, type Misbehaving, startMisbehaving } from "../issuer/misbehaving.ts";

/** One issuer and one home of a case, so that cases may run side by side. */
export interface LyingStage {
  readonly issuer: Misbehaving;
  readonly home: Home;
  /** `get-token` at that issuer. No token is cached, so that each call asks the issuer. */
  readonly session: (...more: string[]) => string[];
  /** A proper login. */
  logIn(...more: string[]): Promise<Ended & { readonly page: string; readonly url: string }>;
  /** A refresh, or the refusal of one. */
  refresh(...more: string[]): Promise<Ended>;
}

/** Runs a case on a stage of its own. */
export async function onStage(play: (stage: LyingStage) => Promise<void>, behaviour: Behaviour = {}): Promise<void> {
  const issuer = await startMisbehaving(behaviour);
  const home = newHome();
  const session = (...more: string[]) => [
    "get-token",
    `--oidc-issuer-url=${issuer.issuer}`,
    "--oidc-client-id=kubernetes",
    "--token-cache-storage=disk",
    "--id-token-cache=none",
    "--listen-address=127.0.0.1:0",
    "--skip-open-browser",
    "-v8",
    ...more,
  ];
  try {
    await play({
      issuer,
      home,
      session,
      logIn: (...more) => runWithBrowser(home, session(...more)),
      refresh: (...more) => home.run(session("--non-interactive", ...more)),
    });
  } finally {
    home.remove();
    await issuer.stop();
  }
}

/** A refusal is whole: nothing on stdout, this code, three lines of error, no secret, no raw bytes. */
export function expectRefusal(issuer: Misbehaving, ended: Ended, code: string): void {
  expect(ended.stdout).toBe("");
  expect(errorCode(ended), ended.stderr).toBe(code);
  expect(ended.stderr.split("\n").filter((line) => /^kubectl-oidc: (error|cause|hint):/.test(line)).length).toBeLessThanOrEqual(3);
  for (const secret of issuer.secrets) expect(ended.stderr.includes(secret), "a secret on stderr").toBe(false);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
  expect(ended.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
}
