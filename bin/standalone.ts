import { keychainWord } from "../src/core/program-form.ts";
import { answerOr } from "../src/hot/answer.ts";

// The entry of the standalone executable (docs/adr/0013-standalone.md). Filled by the build.
declare const PROGRAM_VERSION: string;
declare const process: NodeJS.Process & { readonly reallyExit: (code: number) => never };
declare const Bun: { readonly unsafe: { setJITPolicy(scale: number): void } };

// kubectl asks a program of this name what may follow `kubectl oidc …`; a link to this file answers.
if (process.argv0.endsWith("kubectl_complete-oidc") || process.argv0.endsWith("kubectl_complete-oidc.exe")) process.argv.splice(2, 0, "__complete");

const argv = process.argv.slice(2);
if (argv[0] === keychainWord) void import("../src/adapters/keychain-child.ts");
else {
  const call = { argv, env: process.env, platform: process.platform, programVersion: PROGRAM_VERSION, ppid: process.ppid, now: Date.now(), cwd: () => process.cwd() };
  answerOr(
    call,
    async ({ waited, needsKeychain }) => {
      // The build starts with a policy that compiles next to nothing, for the hit's sake; a refresh is too short for it as well (a fifth of its time). Others read YAML.
      if (argv[0] !== "get-token") Bun.unsafe.setJITPolicy(1);
      const keychain = needsKeychain ? (await import("../src/adapters/keychain-start.ts")).startKeychain("standalone") : undefined;
      return (await import("../src/cli/main.ts")).main("standalone", { waited, keychain });
    },
    // Without process.exit's look for listeners, of which a hit has none: 0.1 ms.
    () => process.reallyExit(0),
  );
}
