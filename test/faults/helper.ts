import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the helper does when it is told to store, or to `get`. */
export const helperFaults = ["refuse", "lie", "hang", "die", "die-late", "kill-parent", "kill-parent-late", "orphan", "refuse-get"] as const;
export type HelperFault = (typeof helperFaults)[number];

/** The docker credential helper protocol, in a few lines of sh; items are files beside it. `control` holds the fault's name. */
const program = `#!/bin/sh
here=$(dirname "$0")
fault=$(cat "$here/control" 2>/dev/null)
name() { printf '%s' "$1" | tr -c 'A-Za-z0-9' '_'; }
keep() { printf '%s' "$input" > "$here/$$.new" && mv "$here/$$.new" "$here/$(name "$url").item"; }
case "$1" in
get)
  url=$(cat)
  [ "$fault" = refuse-get ] && { echo "the vault is sealed"; exit 1; }
  [ -f "$here/$(name "$url").item" ] || { echo "credentials not found in native keychain"; exit 1; }
  cat "$here/$(name "$url").item" ;;
store)
  input=$(cat)
  # An object within the secret ends with an escaped quote: a request that was cut there is half a one too.
  case "$input" in *'\\"}') echo "half a request"; exit 1 ;; *'"}') ;; *) echo "half a request"; exit 1 ;; esac
  url=$(printf '%s' "$input" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/')
  case "$fault" in
    refuse) echo "the vault is full"; exit 1 ;;
    lie) keep; echo "the vault is full"; exit 1 ;;
    hang) exec sleep 600 ;;
    die) kill -9 $$ ;;
    die-late) keep; kill -9 $$ ;;
    kill-parent) kill -9 $PPID; exit 1 ;;
    kill-parent-late) keep; kill -9 $PPID ;;
    orphan) kill -9 $PPID; sleep 0.4; keep ;;
    *) keep ;;
  esac ;;
erase)
  url=$(cat)
  rm -f "$here/$(name "$url").item" ;;
esac
`;

export interface Helper {
  /** Goes to the front of the PATH. */
  readonly folder: string;
  fail(how: HelperFault | undefined): void;
}

/** `docker-credential-faults` in a folder of its own, outside the home: what it keeps is its business. */
export function writeHelper(folder: string): Helper {
  const control = join(folder, "control");
  if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700, recursive: true });
  writeFileSync(join(folder, "docker-credential-faults"), program, { mode: 0o700 });
  return {
    folder,
    fail(how) {
      if (how === undefined) rmSync(control, { force: true });
      else writeFileSync(control, how);
    },
  };
}
