/**
 * What makes kubectl (1.35 and newer; the field was `name` in 1.35) run this program and no other as a credential plugin. `program` is an absolute
 * path: kubectl compares it as it is written and follows no link. It binds kubectl alone: helm, k9s and Terraform read no kuberc, and it
 * says nothing of arguments and environment, which is what `strict` is for (kubernetes/enhancements KEP-3104).
 */
export function kubercAllowlist(program: string): { readonly command: string; readonly file: string } {
  return {
    command: `kubectl kuberc set --section credentialplugin --policy Allowlist --allowlist-entry command=${quoted(program)}`,
    file: [
      "apiVersion: kubectl.config.k8s.io/v1beta1",
      "kind: Preference",
      "credentialPluginPolicy: Allowlist",
      "credentialPluginAllowlist:",
      `- command: ${JSON.stringify(program)}`,
      "",
    ].join("\n"),
  };
}

const quoted = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
