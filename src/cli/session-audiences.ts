import type { Run } from "../app/world.ts";
import { isOidcError } from "../errors/oidc-error.ts";
import type { Call } from "./call.ts";
import { contextsWithSessions } from "./sessions.ts";

/**
 * The audiences that the kubeconfig's contexts want of this session. A login names them all: an issuer gives no token later for one that it did
 * not hear of then (RFC 8707, section 2.2), and one login is to serve every cluster. A kubeconfig that cannot be read names none.
 */
export async function audiencesOfSession(call: Call, { session, settings }: Run): Promise<readonly string[]> {
  const folder = call.machine.folderOf(settings);
  // They are said by that option's name or variable, or by a profile.
  if (!call.machine.kubeconfig.mentions({ kubeconfig: call.invocation.kubeconfig }, /audience|profile/i)) return [];
  try {
    const { contexts } = contextsWithSessions(call);
    return [...new Set(contexts.filter((context) => context.key === session.key && context.folder === folder).flatMap(({ audiences }) => audiences))];
  } catch (error) {
    if (isOidcError(error)) return [];
    throw error;
  }
}
