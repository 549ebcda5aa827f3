import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { shellWord } from "../core/shell-word.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import { type ConfigFile, parseConfig } from "./config-text.ts";

/**
 * Reads `config.yaml`; undefined when it is absent. SETTINGS_INVALID for what it holds, STORE_UNREADABLE when it may not be
 * read, STORE_UNSAFE when somebody else may write it. `mustExist`: KUBECTL_OIDC_CONFIG named it.
 */
export function readConfigFile(path: string, { mustExist = false } = {}): ConfigFile | undefined {
  const text = readChecked(path, mustExist);
  return text === undefined ? undefined : parseConfig(text, path);
}

function readChecked(path: string, mustExist: boolean): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if ((code === "ENOENT" || code === "ENOTDIR") && !mustExist) return undefined;
    return fail(code === "ENOENT" ? "SETTINGS_INVALID" : "STORE_UNREADABLE", {
      message: `the configuration file ${safeText(path)} cannot be read`,
      reason: code,
      hint: "check the file's path and mode",
    });
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > 1_048_576) fail("SETTINGS_INVALID", { message: `${safeText(path)} is not a configuration file` });
    // It may switch protections off, so only its owner or root may write it.
    if (process.platform !== "win32" && ((stat.uid !== process.geteuid?.() && stat.uid !== 0) || (stat.mode & 0o022) !== 0)) {
      fail("STORE_UNSAFE", {
        message: `the configuration file ${safeText(path)} can be written by others`,
        hint: `make it yours and run: chmod go-w ${shellWord(path, process.platform) ?? "FILE"}`,
      });
    }
    return readFileSync(fd, "utf8");
  } catch (error) {
    if (isOidcError(error)) throw error;
    return fail("STORE_UNREADABLE", { message: `the configuration file ${safeText(path)} cannot be read`, reason: (error as NodeJS.ErrnoException).code ?? "unknown" });
  } finally {
    closeSync(fd);
  }
}
