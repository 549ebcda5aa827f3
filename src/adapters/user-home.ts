import { userInfo } from "node:os";

/**
 * The home folder that the user database has for this process's user; no variable moves it. Undefined for a user who is in none (a container's).
 * The standalone executable has `standalone/user-home.ts` in this module's place: Bun's own gives what HOME says.
 */
export function homeOfUser(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    return undefined;
  }
}
