/** The keys of `config.yaml` (cli.md M15), for help, man page and reference. `adapters/config-file.ts` reads them; a test compares the two. */
export const configKeys = [
  ["strict", "true: every get-token needs cluster info, and no kubeconfig or variable may run a command, move the store or weaken TLS"],
  ["allow", "option or variable: the values that strict lets through all the same"],
  ["defaults", "option: value or list, for what nothing else says"],
  ["profiles", "NAME: option: value or list, chosen with --profile NAME"],
  ["audit", "true: logins, refreshes, tokens handed out, logouts and refusals are written down on this computer (kubectl oidc help audit)"],
] as const;

export const configExample = `strict: true
allow:
  certificate-authority: [/etc/ssl/company.pem]
defaults:
  oidc-extra-scope: [groups]
profiles:
  work:
    oidc-issuer-url: https://id.example.com
    oidc-client-id: kubernetes
` as const;

/** Strongest first (cli.md). */
export const precedence = [
  "an option that is typed",
  "the args of the --context stanza",
  "a variable KUBECTL_OIDC_… (for get-token, the stanza's env too)",
  "the env of the --context stanza",
  "spec.cluster.config of the kubeconfig",
  "the profile",
  "defaults of your configuration file, then of the machine's",
  "the default",
] as const;
