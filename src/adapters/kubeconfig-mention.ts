import { fail, isOidcError } from "../errors/oidc-error.ts";
import { filesOf, type KubeconfigChoice, textOf } from "./kubeconfig-files.ts";

/** Does one of the files hold such a word? Reads no YAML, which costs a login 15 ms. False for files that cannot be read. */
export function kubeconfigMentions(choice: KubeconfigChoice, word: RegExp): boolean {
  try {
    return filesOf(choice).some((file) => word.test(textOf(file, () => fail("KUBECONFIG_UNREADABLE")) ?? ""));
  } catch (error) {
    if (isOidcError(error)) return false;
    throw error;
  }
}
