import { OidcError } from "../errors/oidc-error.ts";
import type { Clock } from "../ports.ts";

/** The computer's clock. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const interrupted = () => {
          clearTimeout(timer);
          reject(new OidcError("INTERRUPTED", {}));
        };
        if (signal.aborted) return reject(new OidcError("INTERRUPTED", {}));
        const timer = setTimeout(() => {
          signal.removeEventListener("abort", interrupted);
          resolve();
        }, ms);
        signal.addEventListener("abort", interrupted, { once: true });
      }),
  };
}
