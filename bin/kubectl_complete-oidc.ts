#!/usr/bin/env node
/** kubectl asks this program what may follow `kubectl oidc …` (kubectl 1.26 and newer). */
process.argv.splice(2, 0, "__complete");
void import("../src/cli/main.ts").then((cli) => cli.main());
