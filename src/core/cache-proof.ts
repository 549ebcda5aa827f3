import { kubeloginNames } from "./kubelogin-key.ts";
import type { StanzaWord } from "./stanza-words.ts";

/** What tells whether a file of kubelogin's cache was made by this very stanza: a kubeconfig of somebody else's can name any authority. */
export interface CacheProof {
  /** The names that such a file has. */
  readonly names: readonly string[];
  /** Why one of another name must not move: it may have been made without what weakens this stanza. */
  readonly doubt: string | undefined;
  /** Why none must move, whatever its name. */
  readonly obstacle: string | undefined;
}

/** Options by which somebody between the issuer and us could read a refresh token, or have it sent elsewhere. */
const weakening = {
  "certificate-authority": "name certificate authorities of their own",
  "certificate-authority-data": "name certificate authorities of their own",
  "insecure-skip-tls-verify": "say --insecure-skip-tls-verify",
  "oidc-request-header": "say --oidc-request-header",
} as const;

/** Roots that count when kubectl runs the stanza and are not in what kubelogin's name is made of. */
const rootVariables: readonly string[] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"];
/** They lead to another cache, and to another store, than those that are found from here. */
const placeVariables: readonly string[] = ["HOME", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "XDG_DATA_HOME", "XDG_CONFIG_HOME"];

/** By kubelogin's args and the stanza's variables. `absolute`: expands `~`. */
export function cacheProof(words: readonly StanzaWord[], env: Readonly<Record<string, string>>, absolute: (path: string) => string): CacheProof {
  const said = Object.entries(weakening).filter(([name]) => words.some((word) => word.name === name && !["", "false"].includes(word.value ?? "true")));
  const [[, what] = []] = said;
  const roots = rootVariables.filter((name) => env[name]);
  const places = placeVariables.filter((name) => env[name]);
  return {
    names: kubeloginNames(words, (path) => (path.startsWith("~") ? absolute(path) : path)),
    doubt: what === undefined ? undefined : `its args ${what}, and kubelogin's cache does not show that the session was made so`,
    obstacle:
      roots.length > 0
        ? `its env names certificate authorities (${roots.join(", ")}), and kubelogin's cache does not say whether the session was made with them`
        : places.length > 0
          ? `its env names other folders (${places.join(", ")}) than those of this command`
          : undefined,
  };
}
