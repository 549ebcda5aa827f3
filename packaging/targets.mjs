/**
 * What a release is built for: one row for each standalone executable. `name` is the folder below dist-standalone/; `compile` Bun's name of it;
 * `runtime` the package of
 * the Bun runtime (baseline: no AVX2, so that old machines run it too); `keyring` and `locks` the native addons that must be inside.
 */
export const targets = [
  { name: "linux-x64", os: "linux", cpu: "x64", libc: "glibc", compile: "bun-linux-x64-baseline", runtime: "@oven/bun-linux-x64-baseline", keyring: "keyring-linux-x64-gnu" },
  { name: "linux-arm64", os: "linux", cpu: "arm64", libc: "glibc", compile: "bun-linux-arm64", runtime: "@oven/bun-linux-aarch64", keyring: "keyring-linux-arm64-gnu" },
  {
    name: "linux-x64-musl",
    os: "linux",
    cpu: "x64",
    libc: "musl",
    compile: "bun-linux-x64-musl-baseline",
    runtime: "@oven/bun-linux-x64-musl-baseline",
    keyring: "keyring-linux-x64-musl",
  },
  {
    name: "linux-arm64-musl",
    os: "linux",
    cpu: "arm64",
    libc: "musl",
    compile: "bun-linux-arm64-musl",
    runtime: "@oven/bun-linux-aarch64-musl",
    keyring: "keyring-linux-arm64-musl",
  },
  { name: "darwin-arm64", os: "darwin", cpu: "arm64", compile: "bun-darwin-arm64", runtime: "@oven/bun-darwin-aarch64", keyring: "keyring-darwin-arm64" },
  { name: "darwin-x64", os: "darwin", cpu: "x64", compile: "bun-darwin-x64-baseline", runtime: "@oven/bun-darwin-x64-baseline", keyring: "keyring-darwin-x64" },
  {
    name: "windows-x64",
    os: "windows",
    cpu: "x64",
    compile: "bun-windows-x64-baseline",
    runtime: "@oven/bun-windows-x64-baseline",
    keyring: "keyring-win32-x64-msvc",
    locks: "win32-x64",
  },
  {
    name: "windows-arm64",
    os: "windows",
    cpu: "arm64",
    compile: "bun-windows-arm64",
    runtime: "@oven/bun-windows-aarch64",
    keyring: "keyring-win32-arm64-msvc",
    locks: "win32-arm64",
  },
];

/** The executable's file name. */
export const programFile = ({ os }) => (os === "windows" ? "kubectl-oidc.exe" : "kubectl-oidc");

/** Where the build leaves it, below the repository. */
export const builtFile = (target) => `dist-standalone/${target.name}/${programFile(target)}`;

/** The target of this machine; Bun's bundler runs in its runtime. Throws when there is none. */
export function hostTarget() {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const libc = os === "linux" ? (process.report.getReport().header.glibcVersionRuntime === undefined ? "musl" : "glibc") : undefined;
  const found = targets.find((target) => target.os === os && target.cpu === process.arch && target.libc === libc);
  if (found === undefined) throw new Error(`no standalone executable is built for ${process.platform}/${process.arch}`);
  return found;
}
