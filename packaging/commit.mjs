import { execFileSync } from "node:child_process";

/** The commit that is built, for `version`: `-dirty` with changes that are not in it; `unknown` outside a repository (an unpacked tarball). */
export function builtCommit(folder) {
  if (process.env.SOURCE_COMMIT) return process.env.SOURCE_COMMIT;
  try {
    return execFileSync("git", ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}
