import { keychainWord } from "../src/core/program-form.ts";
import { cachedToken } from "../src/hot/cached-token.ts";
import { writeOut } from "../src/hot/write-out.ts";

// The entry of the standalone executable (docs/adr/0013-standalone.md). Filled by the build.
declare const PROGRAM_VERSION: string;
declare const Bun: { readonly unsafe: { setJITPolicy(scale: number): void } };

// kubectl asks a program of this name what may follow `kubectl oidc …`; a link to this file answers.
if (/(^|[/\\])kubectl_complete-oidc(\.exe)?$/.test(process.argv0)) process.argv.splice(2, 0, "__complete");

const argv = process.argv.slice(2);
if (argv[0] === keychainWord) await import("../src/adapters/keychain-child.ts");
else {
  const call = { argv, env: process.env, platform: process.platform, programVersion: PROGRAM_VERSION, ppid: process.ppid, now: Date.now(), cwd: () => process.cwd() };
  const text = cachedToken(call);
  // The build starts with a policy that compiles nothing, for the hit's sake.
  if (text === undefined) Bun.unsafe.setJITPolicy(1);
  if (text === undefined) await import("../src/cli/main.ts").then((cli) => cli.main("standalone"));
  else writeOut(text, () => process.exit(0));
}
