import { isOidcError } from "../../src/errors/oidc-error.ts";

/** The code that the action ends with; `none` when it does not fail. Errors that are not ours go through. */
export function codeOf(action: () => unknown): string {
  try {
    action();
    return "none";
  } catch (error) {
    if (isOidcError(error)) return error.code;
    throw error;
  }
}

/** The same for promises. */
export async function codeOfPromise(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    if (isOidcError(error)) return error.code;
    throw error;
  }
}
