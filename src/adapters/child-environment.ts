import { ownVariables } from "../core/program-search.ts";

/**
 * The environment that a child gets: ours without what may carry a secret of ours or steer a Node child (architecture.md,
 * rule 7), and with a PATH that never means the working directory. KUBERNETES_EXEC_INFO goes too: it is for us alone.
 */
export function childEnvironment(env: Readonly<Record<string, string | undefined>>, platform: string = process.platform): Record<string, string> {
  const changed: Readonly<Record<string, string | undefined>> = { ...env, ...ownVariables(env, platform), KUBERNETES_EXEC_INFO: undefined };
  return Object.fromEntries(Object.entries(changed).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
