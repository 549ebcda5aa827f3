/**
 * The environment that a child gets: ours without what may carry a secret of ours or steer a Node child (architecture.md,
 * rule 7). KUBERNETES_EXEC_INFO goes too: it is for us alone.
 */
export function childEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && !/^(KUBECTL_OIDC_.*|NAPI_RS_.*|NODE_OPTIONS|KUBERNETES_EXEC_INFO)$/.test(entry[0])),
  );
}
