import { readFileSync } from "node:fs";

/**
 * What an executable has inside, by content: the bundler leaves an addon out without a word when it does not find it. `addons`: name → file
 * that must be inside; `others`: name and file of those that must not.
 */
export function contentOf(executable, addons, others = []) {
  const holds = (file) => executable.includes(readFileSync(file));
  return {
    missing: Object.entries(addons).flatMap(([name, file]) => (holds(file) ? [] : [name])),
    strange: others.flatMap(({ name, file }) => (holds(file) ? [name] : [])),
  };
}

/** Whether it was built from this commit (commit.mjs), by the text that it has inside. Of a commit with changes only when `commit` says so too. */
export function isOfCommit(executable, commit) {
  for (let at = executable.indexOf(commit); at !== -1; at = executable.indexOf(commit, at + 1)) {
    if (executable.toString("latin1", at + commit.length, at + commit.length + dirty.length) !== dirty) return true;
  }
  return false;
}

const dirty = "-dirty";
