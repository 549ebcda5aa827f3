#!/usr/bin/env node
import { cachedToken } from "../src/hot/cached-token.ts";
import { writeOut } from "../src/hot/write-out.ts";

// Filled by the build. Nothing else may be loaded before the cached answer is out (docs/adr/0001-hot-path.md).
declare const PROGRAM_VERSION: string;

const text = cachedToken({
  argv: process.argv.slice(2),
  env: process.env,
  platform: process.platform,
  programVersion: PROGRAM_VERSION,
  ppid: process.ppid,
  now: Date.now(),
  cwd: () => process.cwd(),
});
if (text === undefined) void import("../src/cli/main.ts").then((cli) => cli.main(), cannotBeLoaded);
else writeOut(text, () => process.exit(0));

/** A damaged installation, or a HOME that Node cannot take: without this, Node would print its own page of source and stack. */
function cannotBeLoaded(): void {
  process.stderr.write("kubectl-oidc: error: the program cannot be loaded [UNEXPECTED]\nkubectl-oidc: hint: check HOME, or install kubectl-oidc again\n");
  process.exit(1);
}
