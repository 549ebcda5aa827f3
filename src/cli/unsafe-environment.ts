import { fail } from "../errors/oidc-error.ts";

/**
 * ENVIRONMENT_UNSAFE, before anything is sent: certificate checks switched off for the whole process, or Node told to print what it sends
 * (with NODE_DEBUG=http it prints every request's headers: client secrets, keys of gateways). docs/explanation/environment.md.
 */
export function refuseUnsafeEnvironment(env: Readonly<Record<string, string | undefined>>): void {
  if (env["NODE_DEBUG"])
    fail("ENVIRONMENT_UNSAFE", { message: "NODE_DEBUG makes Node print requests with their secrets", hint: "unset NODE_DEBUG; -v8 shows requests without secrets" });
  if (env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") fail("ENVIRONMENT_UNSAFE", { message: "NODE_TLS_REJECT_UNAUTHORIZED=0 switches certificate checks off" });
}
