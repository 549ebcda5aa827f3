import type { CommandName } from "./command-table.ts";

/** A flag of commands that is no option of a session: it stands in no stanza, variable or profile. */
export interface CommandFlag {
  /** Without dashes. */
  readonly name: string;
  /** What stands for its value in help; absent for a flag without one. */
  readonly value?: string;
  /** The only values. */
  readonly values?: readonly string[];
  readonly help: string;
  readonly commands: readonly CommandName[];
}

const contextual: readonly CommandName[] = ["login", "token", "whoami", "doctor", "logout", "trust", "setup", "migrate"];
const planning: readonly CommandName[] = ["setup", "migrate"];

/** Help, completion and the reading of a command line all take the flags of commands from here, in this order. */
export const commandFlags: readonly CommandFlag[] = [
  { name: "context", value: "NAME", help: "read the options from this kubeconfig context", commands: contextual.filter((name) => !planning.includes(name)) },
  { name: "context", value: "NAME", help: "the kubeconfig context (default the current one)", commands: ["setup"] },
  { name: "context", value: "NAME", help: "only the user of this context (default all users)", commands: ["migrate"] },
  { name: "kubeconfig", value: "FILE", help: "kubeconfig file (default $KUBECONFIG, then ~/.kube/config)", commands: [...contextual, "status"] },
  { name: "all", help: "every stored session, and the lists of trusted servers", commands: ["logout"] },
  { name: "sso", help: "end the browser's session at the issuer too", commands: ["logout"] },
  { name: "dry-run", help: "show the plan on stdout and change nothing", commands: planning },
  { name: "yes", help: "write without asking", commands: planning },
  { name: "undo", help: "put the kubeconfig back as it was before", commands: planning },
  { name: "absolute-path", help: "name this program by its absolute path in the kubeconfig", commands: planning },
  {
    name: "preset",
    value: "NAME",
    values: ["keycloak", "dex", "google", "okta", "entra", "auth0", "cognito", "gitlab", "generic"],
    help: "keycloak, dex, google, okta, entra, auth0, cognito, gitlab or generic (default: told by the issuer's URL)",
    commands: ["setup"],
  },
  { name: "user", value: "NAME", help: "kubeconfig user to write (default: the context's, else oidc-CONTEXT)", commands: ["setup"] },
  { name: "cluster", value: "NAME", help: "cluster of a context that is not there yet", commands: ["setup"] },
  { name: "username-claim", value: "CLAIM", help: "claim that the API server makes the user name of", commands: ["setup"] },
  { name: "username-prefix", value: "TEXT", help: "what it puts before the user name", commands: ["setup"] },
  { name: "groups-claim", value: "CLAIM", help: "claim that it makes the groups of", commands: ["setup"] },
  { name: "groups-prefix", value: "TEXT", help: "what it puts before each group", commands: ["setup"] },
  { name: "group", value: "NAME", help: "group of the role binding", commands: ["setup"] },
  { name: "cluster-role", value: "NAME", help: "role of the role binding (default view)", commands: ["setup"] },
  { name: "check", help: "ask the npm registry whether there is a newer version", commands: ["version"] },
  { name: "jti", value: "ID", help: "the token with this jti, or credential-id of the API server's audit log, and the login that it came from", commands: ["audit"] },
  { name: "since", value: "TIME", help: "no older entries than this, as in 90m or 24h", commands: ["audit"] },
  { name: "limit", value: "N", help: "the newest N entries (default 50; 0: all)", commands: ["audit"] },
  { name: "harden", help: "also write strict into your configuration file: no kubeconfig brings another issuer or client", commands: ["setup"] },
];

/** The flags of one command, in the order of the help. */
export const flagsOf = (command: CommandName): readonly CommandFlag[] => commandFlags.filter(({ commands }) => commands.includes(command));

/** Does a flag of any command take a value? Undefined for a name that is none. */
export function commandFlagTakesValue(name: string): boolean | undefined {
  const found = commandFlags.find((flag) => flag.name === name);
  return found === undefined ? undefined : found.value !== undefined;
}
