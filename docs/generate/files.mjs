import { cell, code, fenced, page, table } from "./markdown.mjs";
import { precedence } from "./options.mjs";

export function filesPage(facts) {
  const list = (rows) =>
    table(
      ["file", "what it is"],
      rows.map(({ path, help }) => [code(path), cell(help)]),
    );
  return page(
    "Files",
    "`src/cli/file-table.ts` and `src/cli/config-keys.ts`",
    "The same in a terminal: `kubectl oidc help files`.",
    "## Folders",
    table(
      ["", "Linux", "macOS", "Windows", ""],
      facts.folderTable.map((folder) => [code(folder.name), ...[folder.linux, folder.macos, folder.windows].map(places), cell(folder.help)]),
    ),
    "## Written",
    "Mode 0600, in folders 0700 (on Windows: your own profile). Each is written whole, under another name first (`*.tmp`), and synced; the audit log line by line. A file or folder that another user could have written, or that is a link, is refused (`STORE_UNSAFE`).",
    list(facts.writtenFiles),
    "## Changed",
    "By `setup` and `migrate`, after a question or with `--yes`. A kubeconfig keeps its owner, mode, comments and order.",
    list(facts.changedFiles),
    "## Read",
    list(facts.readFiles),
    "Files that options name are read too: `--certificate-authority`, `--oidc-client-secret-file`, `--password-file`, `--local-server-cert`, `--local-server-key`. On Linux `/proc` says who holds a lock and who started us.",
    "## Not in a file",
    [
      "The refresh token, with the list of trusted API servers, is in the keychain of your operating system: service `kubectl-oidc`, user",
      "`<issuer>#<client-id>[#<account>][#<8 hex of the key>]`. With `--token-cache-storage=helper:NAME` it is with `docker-credential-NAME`,",
      "under `https://kubectl-oidc.invalid/…`; with `none`, nowhere.",
    ],
    "## config.yaml",
    "Only its owner or root may be able to write it. Options are named without their dashes; an unknown key is refused.",
    table(
      ["key", "value"],
      facts.configKeys.map(([key, help]) => [code(key), cell(help)]),
    ),
    fenced("yaml", facts.configExample),
    precedence(facts),
  );
}

const places = (text) =>
  text
    .split(", else ")
    .map((place) => code(place))
    .join(", else ");
