import { dirname, join, resolve } from "node:path";

/**
 * The form of the program that the tests start: TEST_PROGRAM names a standalone executable (`npm run build:standalone` tells its path);
 * without it, the built npm program.
 */
const standalone = process.env["TEST_PROGRAM"] === undefined ? undefined : resolve(process.env["TEST_PROGRAM"]);

export const isStandalone = standalone !== undefined;

/** The built program's file. */
export const programPath = standalone ?? resolve(import.meta.dirname, "../../dist/kubectl-oidc.cjs");

/** What starts it. */
export const programCommand: readonly [string, ...string[]] = standalone === undefined ? [process.execPath, programPath] : [standalone];

/** The file to be linked as `kubectl_complete-oidc`: the executable goes by the name that it is called by. */
export const completionPath = standalone ?? join(dirname(programPath), "kubectl_complete-oidc.cjs");

/** The variables with which the runtime loads this file of the test's before the program. */
export const preloaded = (file: string): Readonly<Record<string, string>> => (isStandalone ? { BUN_OPTIONS: `--preload ${file}` } : { NODE_OPTIONS: `--require ${file}` });
