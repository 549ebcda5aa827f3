/**
 * What `src/cli/command-table.ts` does not say of a command, since only reference and man page tell it. A command without a note has
 * none of these lines. `exits`: beside 0, 1, 2 and 130, which every command can end with.
 */
const session = "20, 30, 40, 50";
export const commandNotes = {
  setup: { stdout: "nothing; with `--dry-run` the whole plan; with `-o json` one object", exits: session },
  migrate: { stdout: "as `setup`", exits: session },
  login: { stdout: "nothing; with `-o json` one JSON object a line: `url`, `code`, `done`, `error`", exits: session },
  status: { stdout: "a table; `-o json`", exits: "40, 50" },
  whoami: { stdout: "text; `-o json`", exits: `${session} (40, TOKEN_REFUSED, after its output, when the API server does not accept the token)` },
  doctor: { stdout: "one line a check, its cure below it; `-o json`, free of secrets", exits: "that of the first check that failed" },
  logout: { stdout: "nothing; `-o json` is for its errors", exits: "40, 50" },
  trust: { stdout: "a table (`list`); `-o json` after every action", exits: "40, 50" },
  token: { stdout: "the token; `-o json`; `-o header`: `Authorization: Bearer TOKEN`; `-o env`: `OIDC_TOKEN=TOKEN`", exits: session },
  "get-token": { stdout: "one whole ExecCredential and a newline, or nothing; never anything else", exits: session },
  completion: { stdout: "the script", exits: "" },
  version: { stdout: "one line; `-o json`", exits: "" },
};
