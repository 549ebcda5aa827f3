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
if (text === undefined) void import("../src/cli/main.ts").then((cli) => cli.main());
else writeOut(text, () => process.exit(0));
