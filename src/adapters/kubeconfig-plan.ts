import { backupWith, type KubeconfigValue, type Touched } from "../core/kubeconfig-edits.ts";
import { holds } from "../core/json-values.ts";
import { safeText } from "../core/untrusted-text.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import { type KubeconfigFile, readKubeconfigFile } from "./kubeconfig-files.ts";
import { maskSecrets } from "./kubeconfig-mask.ts";
import { backupOf, type FileChange } from "./kubeconfig-writer.ts";
import { textDiff } from "./text-diff.ts";
import { rewriteYaml } from "./yaml-rewrite.ts";

/** One file's change, ready to be shown and applied. */
export interface PlannedChange extends FileChange {
  /** Unified, its secrets hidden. Empty: the file stays. */
  readonly diff: string;
  /** The file as it was before our first change lies there afterwards. */
  readonly backupFile: string;
}

/**
 * Plans the text of a kubeconfig file that is to hold `wanted`. `touched`: the entries that this changes, which the backup must know.
 * `kept`: what the backup is made of in place of the file as it is (a refresh token that moves away must not stay there in clear).
 * `cleaned`: the same of a backup that is there already, from an earlier change of other entries.
 */
export function planChange(
  file: KubeconfigFile,
  wanted: KubeconfigValue,
  touched: readonly Touched[],
  kept: KubeconfigValue = file.value,
  cleaned: (backup: KubeconfigValue) => KubeconfigValue = (backup) => backup,
): PlannedChange {
  const after = rewriteYaml(file.text, wanted);
  const known = after === file.text ? undefined : readBackup(file.file);
  const clean = known === undefined ? undefined : cleaned(known.value);
  const added = known === undefined || clean === undefined ? undefined : (backupWith(clean, kept, touched) ?? (holds(clean, known.value) ? undefined : clean));
  /** Undefined: it stays as it is. */
  const backupText = () => {
    if (known !== undefined) return added === undefined ? undefined : rewriteYaml(known.text, added);
    return kept === file.value ? file.text : rewriteYaml(file.text, kept);
  };
  const backup = after === file.text ? undefined : backupText();
  return {
    file: file.file,
    before: file.text,
    after,
    ...(backup === undefined ? {} : { backup }),
    diff: textDiff(file.file, maskSecrets(file.text), maskSecrets(after)),
    backupFile: backupOf(file.file),
  };
}

/** Plans the way back to `wanted`; when that is all that the backup holds, the backup goes, and its very text comes back unless somebody edited the file's. */
export function planReturn(file: KubeconfigFile, wanted: KubeconfigValue): PlannedChange {
  const known = readBackup(file.file);
  const isAll = known !== undefined && holds(known.value, wanted);
  // A comment that somebody added since is not in the backup.
  const isAsWeLeftIt = isAll && rewriteYaml(known.text, file.value) === file.text;
  const after = isAsWeLeftIt ? known.text : rewriteYaml(file.text, wanted);
  return {
    file: file.file,
    before: file.text,
    after,
    ...(isAll ? { backup: null } : {}),
    diff: textDiff(file.file, maskSecrets(file.text), maskSecrets(after)),
    backupFile: backupOf(file.file),
  };
}

/** The file as it was before our first change; undefined when we never changed it. KUBECONFIG_UNREADABLE. */
export function readBackup(file: string): KubeconfigFile | undefined {
  const path = backupOf(file);
  const unreadable = (reason: string | undefined) =>
    fail("KUBECONFIG_UNREADABLE", { message: `${safeText(path, 200)} cannot be read`, ...(reason === undefined ? {} : { reason }), hint: "look at it, and move it away" });
  try {
    const kept = readKubeconfigFile(path);
    const isKubeconfig = kept === undefined || ["users", "contexts"].every((list) => (kept.value[list] ?? null) === null || Array.isArray(kept.value[list]));
    return isKubeconfig ? kept : unreadable("it is not a kubeconfig");
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return unreadable(error.reason);
  }
}
