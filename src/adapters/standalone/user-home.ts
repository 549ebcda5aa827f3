import { libc } from "./libc.ts";

/** As `../user-home.ts`, asked of the C library: Bun's os.userInfo() gives HOME, which a kubeconfig's `env` can set (cli.md M10). Linux and macOS. */
export function homeOfUser(): string | undefined {
  try {
    return libc().homeOf(process.geteuid?.() ?? -1);
  } catch {
    return undefined;
  }
}
