#!/usr/bin/env node
import { answerOr } from "../src/hot/answer.ts";

// Filled by the build. Nothing else may be loaded before the cached answer is out (docs/adr/0001-hot-path.md).
declare const PROGRAM_VERSION: string;

answerOr(
  {
    argv: process.argv.slice(2),
    env: process.env,
    platform: process.platform,
    programVersion: PROGRAM_VERSION,
    ppid: process.ppid,
    now: Date.now(),
    cwd: () => process.cwd(),
  },
  async ({ waited, needsKeychain }) => {
    await import("../src/adapters/compiled-code.ts").then((compiled) => compiled.useCompiledCode(__dirname)).catch(() => undefined);
    const started = needsKeychain ? import("../src/adapters/keychain-start.ts").then((keychain) => keychain.startKeychain("npm")) : Promise.resolve(undefined);
    const keychain = await started.catch(() => undefined);
    return import("../src/cli/main.ts").then((cli) => cli.main("npm", { waited, keychain }), cannotBeLoaded);
  },
  () => process.exit(0),
);

/** A damaged installation, or a HOME that Node cannot take: without this, Node would print its own page of source and stack. */
function cannotBeLoaded(): void {
  process.stderr.write("kubectl-oidc: error: the program cannot be loaded [UNEXPECTED]\nkubectl-oidc: hint: check HOME, or install kubectl-oidc again\n");
  process.exit(1);
}
