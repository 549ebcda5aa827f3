import { failed, type Outcome, together, warn } from "./outcome.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that change what a Node program runs or trusts (docs/explanation/environment.md). */
const steering = ["NODE_OPTIONS", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "NODE_PATH"] as const;

/** D-03: what in the environment, or in the stanza's `env`, could switch protection off. */
export function checkEnvironment(env: Environment, stanza: Environment): Outcome {
  const outcomes: Outcome[] = [];
  for (const [where, values, set] of [
    ["the environment", env, "unset"],
    ["the stanza's env", stanza, "remove it from the kubeconfig:"],
  ] as const) {
    if (values["NODE_TLS_REJECT_UNAUTHORIZED"] === "0")
      outcomes.push(failed("ENVIRONMENT_UNSAFE", `NODE_TLS_REJECT_UNAUTHORIZED=0 in ${where} switches certificate checks off`, `${set} NODE_TLS_REJECT_UNAUTHORIZED`));
    if (values["NODE_DEBUG"]) outcomes.push(failed("ENVIRONMENT_UNSAFE", `NODE_DEBUG in ${where} makes Node print secrets`, `${set} NODE_DEBUG`));
    const found = steering.filter((name) => values[name]);
    if (found.length > 0)
      outcomes.push(
        warn(`${found.join(", ")} in ${where} ${found.length === 1 ? "changes" : "change"} what this program runs or trusts`, `${set} ${found.join(" ")}, unless you mean it`),
      );
  }
  const moved = ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "KUBECACHEDIR"].filter((name) => stanza[name]);
  if (moved.length > 0) outcomes.push(warn(`${moved.join(", ")} in the stanza's env moves the store`, "remove it from the kubeconfig, unless you mean it"));
  return together(outcomes, "nothing in it switches protection off");
}
