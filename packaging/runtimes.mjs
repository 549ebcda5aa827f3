// Bun's runtimes, from the npm registry, by a fixed version and content: what is put into every executable must not change by itself.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

export const bunVersion = "1.4.5";

/** The registry's `dist.integrity` of each package. */
const integrity = {
  "@oven/bun-linux-x64-baseline": "sha512-s8yMwYcFnnrA178gji0gZbkE2WVDej/Ti1x770oPfihxyRxSMNhGhiAQNXV53aDeraZxksdvKV/RAdQBCd0qPA==",
  "@oven/bun-linux-x64-musl-baseline": "sha512-cWJhU8h0+MiUgpSt99sQhjxLIIosKEcKYdtKddohokUvAuN6jKOy7g7+QDTZTXtwHxz93wL3BX+L6wXVPDUH3A==",
  "@oven/bun-linux-aarch64": "sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==",
  "@oven/bun-linux-aarch64-musl": "sha512-XCNc+WvvMAdNNb+OWTogpy+N9wm62fkVeEVLb6how0RZhW5LPi6c7BlkeVCuWps7XjEl2saFpHFa20/1E+PAHg==",
  "@oven/bun-darwin-aarch64": "sha512-4MIFXHmctH2EhAxLXm2/qxNtv17dFtLJylvaOCsrgq6KSqHTs6eW5YSrJjRbJxYUJaR901fsN8JfZOa+CsWpWQ==",
  "@oven/bun-darwin-x64-baseline": "sha512-zqfLA5A4B+hYMh5WYzYSot3uZ06FzhdP0OEwQisEzdirYtXGj5cQFlfy31BGfNsAsk1Gd/w/OxJ/jqqJ3cMclw==",
  "@oven/bun-windows-x64-baseline": "sha512-/U3Dc74uGqE6EUqef7mPtg9KwJs7iJH4JHRMfIZIn18MrJh6Xz4gVvWDXRvzCL2j8wPlTnJVyrO4n7Qq4uM7TQ==",
  "@oven/bun-windows-aarch64": "sha512-MiPFZnBNDnBXgr1oONc5pizC4fOLjnIOfNkYdFEnWzLmoFTg86naZIG3SvS7d/GglpQSAnCKMAzSjI/TAckiRw==",
};

/** The folder of a package of this name and content, from the cache or the registry. Throws when what came is something else. */
export function fetchPackage(name, version, expected, cache) {
  const folder = join(cache, `${name.replace(/^@/, "").replace("/", "+")}@${version}`);
  if (existsSync(folder)) return join(folder, "package");
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "fetch-"));
  try {
    execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", work, `${name}@${version}`], {
      stdio: ["ignore", "ignore", "inherit"],
      shell: process.platform === "win32",
    });
    const [tarball] = readdirSync(work);
    const found = `sha512-${createHash("sha512")
      .update(readFileSync(join(work, tarball)))
      .digest("base64")}`;
    if (found !== expected) throw new Error(`${name}@${version} is not what was expected: ${found}`);
    mkdirSync(join(work, "content"));
    // GNU tar takes C:\… for a host: a relative name, in its folder.
    execFileSync("tar", ["-xzf", tarball, "-C", "content"], { cwd: work });
    renameIfMissing(join(work, "content"), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return join(folder, "package");
}

/** Another build may have been faster. */
function renameIfMissing(from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/** The runtime's executable for a target. */
export function runtimeFile(target, cache) {
  const bin = join(fetchPackage(target.runtime, bunVersion, integrity[target.runtime], cache), "bin");
  const file = ["bun", "bun.exe"].map((name) => join(bin, name)).find((path) => existsSync(path));
  if (file === undefined) throw new Error(`${target.runtime} has no executable`);
  return file;
}

/** What the registry says of a runtime's content, for the bill of materials. */
export const integrityOf = (name) => integrity[name];
