import { azureStanza, isAzureVariable } from "./azure-stanza.ts";
import { type CacheProof, cacheProof } from "./cache-proof.ts";
import { stanzaArguments } from "./exec-stanza.ts";
import { ignoredFlags } from "./flag-table.ts";
import type { KubeconfigValue } from "./kubeconfig-edits.ts";
import { splitList } from "./option-values.ts";
import { isObject } from "./session.ts";
import { addressProblem } from "./option-checks.ts";
import { otherLogins, stanzaProgram, stanzaVariables } from "./stanza-program.ts";
import { kubeloginTakesValue, lastValue, stanzaWords } from "./stanza-words.ts";
import { safeText } from "./untrusted-text.ts";

/** Where the tokens of a user are whose login is to be taken over. */
export type OldTokens =
  /** In the kubeconfig itself. */
  | { readonly at: "kubeconfig"; readonly refreshToken: string; readonly idToken: string | undefined }
  /** In kubelogin's cache: the folders that the stanza names, beside the usual ones. */
  | { readonly at: "cache"; readonly folders: readonly string[]; readonly cacheRoots: readonly string[]; readonly proof: CacheProof }
  | { readonly at: "nowhere" }
  /** Somewhere out of our reach. */
  | { readonly at: "elsewhere"; readonly reason: string };

/** A user that can be ours. */
export interface Carried {
  readonly kind: "kubelogin" | "auth-provider" | "azure";
  /** With `get-token` first. */
  readonly args: readonly string[];
  /** The stanza's own list of variables; undefined when there is none to keep. */
  readonly env: readonly unknown[] | undefined;
  readonly clientSecret: string | undefined;
  readonly tokens: OldTokens;
  /** What is not as it was, each a sentence. */
  readonly losses: readonly string[];
  /** What else the user's entry says. */
  readonly rest: KubeconfigValue;
  /** The entry as it was, without the secrets that move away. */
  readonly kept: KubeconfigValue;
}

/** What a kubeconfig user is to `migrate`. */
export type Migration =
  | Carried
  | { readonly kind: "ours"; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> }
  /** Left as it is, and said why. */
  | { readonly kind: "kubelogin" | "auth-provider" | "azure" | "other"; readonly problem: string }
  /** Nobody's business here: another plugin, a certificate. */
  | undefined;

/** What the entry's words depend on. */
export interface MigrationPlace {
  /** Where the secret of a client is kept. */
  secretPath(issuer: string, clientId: string): string;
  /** A path of the entry, made absolute. */
  absolute(path: string): string;
}

/** What the user's entry is, and what it becomes. */
export function migrationOf(user: KubeconfigValue, place: MigrationPlace): Migration {
  const exec = isObject(user["exec"]) ? user["exec"] : undefined;
  const provider = isObject(user["auth-provider"]) ? user["auth-provider"] : undefined;
  const found = exec === undefined ? undefined : stanzaProgram(exec);
  if (found?.kind === "ours") return { kind: "ours", args: found.args ?? [], env: stanzaVariables(exec?.["env"]) };
  if (provider !== undefined && provider["name"] !== "oidc" && found === undefined)
    return { kind: "other", problem: `its auth-provider ${safeText(provider["name"], 40)} is not that of OpenID Connect` };
  const kind = found?.kind ?? (provider === undefined ? undefined : "auth-provider");
  if (kind === undefined) return undefined;
  const others = [...otherLogins(user).filter((name) => name !== kind), ...(exec !== undefined && kind === "auth-provider" ? ["exec"] : [])];
  if (others.length > 0) return { kind, problem: `it has other logins beside it (${others.join(", ")}): remove those that are not used` };
  if (kind === "auth-provider") return ofAuthProvider(user, provider ?? {}, place);
  const { exec: stanza, ...rest } = user;
  const own = isObject(stanza) ? stanza : {};
  return kind === "azure" ? ofAzure(user, rest, own, found?.args ?? []) : ofKubelogin(user, rest, own, found?.args, place);
}

/** The stanza's variables but those; undefined when none is left, or the list is none. */
function variablesWithout(list: unknown, isGone: (name: string) => boolean): readonly unknown[] | undefined {
  const kept = Array.isArray(list) ? list.filter((one) => !(isObject(one) && typeof one["name"] === "string" && isGone(one["name"]))) : [];
  return kept.length === 0 ? undefined : kept;
}

function ofKubelogin(user: KubeconfigValue, rest: KubeconfigValue, exec: KubeconfigValue, args: readonly string[] | undefined, place: MigrationPlace): Migration {
  if (args === undefined) return { kind: "kubelogin", problem: "its args do not begin with get-token" };
  const words = stanzaWords(args, kubeloginTakesValue);
  const issuer = lastValue(words, "oidc-issuer-url") ?? "";
  const clientId = lastValue(words, "oidc-client-id") ?? "";
  const clientSecret = lastValue(words, "oidc-client-secret") || undefined;
  const allowsAny = words.some(({ name, value }) => name === "allow-non-loopback" && value !== "false");
  const losses = new Set<string>();
  const folders: string[] = [];
  const ignored = words.flatMap(({ name }) => (name !== undefined && Object.hasOwn(ignoredFlags, name) ? [`--${name}`] : []));
  if (ignored.length > 0) losses.add(`${[...new Set(ignored)].join(", ")}: without effect in kubectl-oidc, left out`);
  const secretWords = words.filter(({ name }) => name === "oidc-client-secret");

  const carried = words.flatMap((word): readonly string[] => {
    const { name, value = "" } = word;
    switch (name) {
      case "oidc-pkce-method":
        if (value !== "no") return word.words;
        losses.add("--oidc-pkce-method=no is left out: a login without PKCE can be stolen on this computer; issuers that do not know it ignore it");
        return [];
      case "oidc-use-pkce":
        losses.add("--oidc-use-pkce is left out: PKCE is always used");
        return [];
      case "listen-address": {
        const addresses = splitList([value]);
        const open = addresses.filter((address) => addressProblem(address, false) !== undefined && addressProblem(address, true) === undefined);
        if (allowsAny || open.length === 0) return word.words;
        losses.add(`--listen-address=${safeText(open.join(","), 80)} is left out: others on the network could reach it; in a container, add it again with --allow-non-loopback`);
        const left = addresses.filter((address) => !open.includes(address));
        return left.length === 0 ? [] : [`--listen-address=${left.join(",")}`];
      }
      case "certificate-authority":
        // kubelogin takes one path of each; here it is a list.
        return /[",]/.test(value) ? [`--certificate-authority=${listItem(value)}`] : word.words;
      case "oidc-client-secret":
        return word === secretWords.at(-1) && clientSecret !== undefined ? [`--oidc-client-secret-file=${place.secretPath(issuer, clientId)}`] : [];
      case "token-cache-dir":
        if (value !== "") folders.push(value);
        losses.add("--token-cache-dir is left out: it names the folder of kubelogin's cache");
        return [];
      default:
        return name !== undefined && Object.hasOwn(ignoredFlags, name) ? [] : word.words;
    }
  });

  const storage = lastValue(words, "token-cache-storage") || "disk";
  if (storage.startsWith("helper:")) return { kind: "kubelogin", problem: "its args say --token-cache-storage=helper:NAME, which kubelogin does not know" };
  const variables = stanzaVariables(exec["env"]);
  const cacheRoot = variables["KUBECACHEDIR"] || undefined;
  if (cacheRoot !== undefined) losses.add("the variable KUBECACHEDIR is left out: it names the folder of kubelogin's cache");
  const own = Object.keys(variables).filter(isOwnVariable);
  if (own.length > 0) losses.add(`${own.map((name) => safeText(name, 60)).join(", ")}: variables that kubelogin does not read, left out`);
  const keptArgs = secretWords.length === 0 ? exec["args"] : withoutSecret(exec["args"], args, words);
  return {
    kind: "kubelogin",
    args: ["get-token", ...carried],
    env: variablesWithout(exec["env"], (name) => name === "KUBECACHEDIR" || isOwnVariable(name)),
    clientSecret,
    tokens: kubeloginTokens(storage, folders, cacheRoot === undefined ? [] : [cacheRoot], cacheProof(words, variables, place.absolute)),
    losses: [...losses],
    rest,
    kept: { ...user, exec: { ...exec, args: keptArgs } },
  };
}

/** One item of a list, whatever it holds (CSV). */
const listItem = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Ours: another program's stanza means nothing by them, and would mean something by them in our hands. */
const isOwnVariable = (name: string) => /^KUBECTL_OIDC_/i.test(name);

function kubeloginTokens(storage: string, folders: readonly string[], cacheRoots: readonly string[], proof: CacheProof): OldTokens {
  if (storage === "none") return { at: "nowhere" };
  if (storage === "keyring") return { at: "elsewhere", reason: "it lies in the keychain under a name that only kubelogin can make" };
  return { at: "cache", folders, cacheRoots, proof };
}

/** The words before get-token, it, and what is left of its arguments. */
function withoutSecret(all: unknown, args: readonly string[], words: ReturnType<typeof stanzaWords>): readonly unknown[] {
  const list = Array.isArray(all) ? all : [];
  return [...list.slice(0, list.length - args.length), ...words.flatMap((word) => (word.name === "oidc-client-secret" ? [] : word.words))];
}

function ofAzure(user: KubeconfigValue, rest: KubeconfigValue, exec: KubeconfigValue, args: readonly string[]): Migration {
  const stanza = azureStanza(args, stanzaVariables(exec["env"]));
  if ("problem" in stanza) return { kind: "azure", problem: stanza.problem };
  return {
    kind: "azure",
    args: stanza.args,
    env: variablesWithout(exec["env"], (name) => isAzureVariable(name) || isOwnVariable(name)),
    clientSecret: undefined,
    tokens: { at: "elsewhere", reason: "Azure's program keeps its tokens in a form of its own" },
    losses: stanza.losses,
    rest,
    kept: user,
  };
}

/** Members of the provider's config that are secret, or tokens. */
const providerSecrets = ["id-token", "refresh-token", "client-secret"];

function ofAuthProvider(user: KubeconfigValue, provider: KubeconfigValue, place: MigrationPlace): Migration {
  const config = isObject(provider["config"]) ? provider["config"] : {};
  const text = (name: string) => (typeof config[name] === "string" && config[name] !== "" ? config[name] : undefined);
  const issuer = text("idp-issuer-url");
  const clientId = text("client-id");
  if (issuer === undefined || clientId === undefined) return { kind: "auth-provider", problem: `its config does not say ${issuer === undefined ? "idp-issuer-url" : "client-id"}` };
  const authority = text("idp-certificate-authority");
  const authorityData = text("idp-certificate-authority-data");
  const clientSecret = text("client-secret");
  const refreshToken = text("refresh-token");
  const { "auth-provider": _, ...rest } = user;
  const keptConfig = Object.fromEntries(Object.entries(config).filter(([name]) => !providerSecrets.includes(name)));
  return {
    kind: "auth-provider",
    args: stanzaArguments({
      "oidc-issuer-url": [issuer],
      "oidc-client-id": [clientId],
      ...(clientSecret === undefined ? {} : { "oidc-client-secret-file": [place.secretPath(issuer, clientId)] }),
      "oidc-extra-scope": splitList([text("extra-scopes") ?? ""])
        .map((scope) => scope.trim())
        .filter((scope) => scope !== "" && scope !== "openid"),
      ...(authority === undefined ? {} : { "certificate-authority": [listItem(place.absolute(authority))] }),
      ...(authorityData === undefined ? {} : { "certificate-authority-data": [authorityData] }),
    }),
    env: undefined,
    clientSecret,
    tokens: refreshToken === undefined ? { at: "nowhere" } : { at: "kubeconfig", refreshToken, idToken: text("id-token") },
    losses: [],
    rest,
    kept: { ...user, "auth-provider": { ...provider, config: keptConfig } },
  };
}
