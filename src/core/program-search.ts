type Environment = Readonly<Record<string, string | undefined>>;

/** What execvp(3) takes when no PATH is set. */
const usualFolders = ["/usr/bin", "/bin"];

/**
 * The folders of a PATH in which programs may be looked for: the absolute ones. An empty or relative entry means the working directory,
 * where an unpacked archive can hold an `xdg-open`; on Windows a share of another computer is none either.
 */
export function searchFolders(path: string | undefined, platform: string): readonly string[] {
  if (platform === "win32") return (path ?? "").split(";").filter((folder) => /^[A-Za-z]:[\\/]/.test(folder));
  const folders = (path ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return folders.length === 0 ? usualFolders : folders;
}

/** The same as a text. Never empty: that would mean the working directory again. */
export function searchPath(path: string | undefined, platform: string): string {
  const folders = searchFolders(path, platform);
  return platform === "win32" ? (folders.length === 0 ? "C:\\Windows\\System32" : folders.join(";")) : folders.join(":");
}

/**
 * What this process changes in its own environment before it starts anything, for itself, for libraries that start programs, and for the
 * programs themselves; undefined: removed. No child gets a secret of ours by environment, no variable steers the bindings that we load
 * (architecture.md, rule 7), none makes a package talk (with DEBUG the proxy agents print the proxy's password), and nothing is looked for
 * in the working directory. A kubeconfig's `env` can set all of these.
 */
export function ownVariables(env: Environment, platform: string): Readonly<Record<string, string | undefined>> {
  const changes: Record<string, string | undefined> = {};
  for (const name of Object.keys(env)) if (/^(KUBECTL_OIDC_|NAPI_RS_|NODE_OPTIONS$|BUN_(OPTIONS|BE_BUN|INSPECT\w*)$|DEBUG$|DEBUG_)/.test(name)) changes[name] = undefined;
  if (platform !== "win32") return { ...changes, PATH: searchPath(env["PATH"], platform) };
  for (const [name, value] of Object.entries(env)) {
    if (/^path$/i.test(name)) changes[name] = searchPath(value, platform);
    // PowerShell is started from there; Windows never lies elsewhere.
    if (/^(systemroot|windir)$/i.test(name) && !/^[A-Za-z]:\\(windows|winnt)$/i.test(value ?? "")) changes[name] = "C:\\Windows";
  }
  // CreateProcess, and libuv before it, look into the working directory first without it.
  return { ...changes, NoDefaultCurrentDirectoryInExePath: "1" };
}
