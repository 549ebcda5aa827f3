import { setUser, type UserEntry } from "./kubeconfig-edit.ts";
import { failed, type Outcome, together, warn } from "./outcome.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What a variable can do (docs/explanation/environment.md, protocol.md EC-75). In the person's own environment, only what no shell sets by itself is said. */
const effects = [
  {
    effect: "runs code in this program",
    names: [
      "NODE_OPTIONS",
      "NODE_PATH",
      "BUN_OPTIONS",
      "BUN_BE_BUN",
      "BUN_INSPECT_PRELOAD",
      "LD_PRELOAD",
      "LD_LIBRARY_PATH",
      "DYLD_INSERT_LIBRARIES",
      "DYLD_LIBRARY_PATH",
      "OPENSSL_CONF",
    ],
    anywhere: true,
  },
  { effect: "adds roots that can play the issuer", names: ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"], anywhere: true },
  { effect: "leads requests through a proxy", names: ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"], anywhere: false },
  { effect: "runs a command", names: ["BROWSER", "KUBECTL_OIDC_BROWSER_COMMAND"], anywhere: false },
  { effect: "decides which programs are run", names: ["PATH"], anywhere: false },
  {
    effect: "moves the store or the configuration",
    names: [
      "HOME",
      "USERPROFILE",
      "XDG_DATA_HOME",
      "XDG_CONFIG_HOME",
      "XDG_CACHE_HOME",
      "XDG_RUNTIME_DIR",
      "APPDATA",
      "LOCALAPPDATA",
      "KUBECACHEDIR",
      "KUBECTL_OIDC_CONFIG",
      "KUBECTL_OIDC_TOKEN_CACHE_DIR",
    ],
    anywhere: false,
  },
  { effect: "names the keychain's bus", names: ["DBUS_SESSION_BUS_ADDRESS"], anywhere: false },
] as const;

/** D-03: what in the environment, or in the stanza's `env`, could switch protection off. No value is shown. `user`: whose stanza that is. */
export function checkEnvironment(env: Environment, stanza: Environment, user?: UserEntry): Outcome {
  const remove = (names: readonly string[]) => {
    const inWords = `remove ${names.join(", ")} from the env of the stanza in the kubeconfig`;
    return user === undefined
      ? inWords
      : setUser(
          user,
          names.map((name) => `--exec-env=${name}-`),
          inWords,
        );
  };
  const places = [
    { where: "the environment", values: env, isStanza: false, cure: (names: readonly string[]) => `unset ${names.join(" ")}` },
    { where: "the stanza's env", values: stanza, isStanza: true, cure: remove },
  ];
  const outcomes = places.flatMap(({ where, values, isStanza, cure }): readonly Outcome[] => {
    const set = (name: string) => namesOf(values, name);
    const unsafe = [
      ...(values["NODE_TLS_REJECT_UNAUTHORIZED"] === "0"
        ? [failed("ENVIRONMENT_UNSAFE", `NODE_TLS_REJECT_UNAUTHORIZED=0 in ${where} switches certificate checks off`, cure(["NODE_TLS_REJECT_UNAUTHORIZED"]))]
        : []),
      ...(values["NODE_DEBUG"] ? [failed("ENVIRONMENT_UNSAFE", `NODE_DEBUG in ${where} makes Node print secrets`, cure(["NODE_DEBUG"]))] : []),
    ];
    const steering = effects
      .filter(({ anywhere }) => anywhere || isStanza)
      .flatMap(({ effect, names }) => {
        const found = names.flatMap(set);
        // Of one variable: `adds`; of several: `add`.
        const does = found.length > 1 ? effect.replace(/^(\w+)s\b/, "$1") : effect;
        return found.length === 0 ? [] : [{ found, text: `${found.join(", ")} in ${where} ${does}` }];
      });
    return [...unsafe, ...steering.map(({ found, text }) => warn(text, cure(found)))];
  });
  return together(outcomes, "nothing in it switches protection off");
}

/** The names under which a variable is set: proxies in either case. */
const namesOf = (values: Environment, name: string): readonly string[] => [name, ...(name.endsWith("_PROXY") ? [name.toLowerCase()] : [])].filter((one) => values[one]);
