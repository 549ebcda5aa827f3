import { fail, type OidcError } from "../errors/oidc-error.ts";
import { authorityProblem } from "./authority-data.ts";
import { checkClientProof, withoutWeakerProof } from "./client-proof.ts";
import { type grants, type identityKinds, type OptionName, optionRow, optionTable, type wishes } from "./flag-table.ts";
import { addressProblem, defaultAddresses, headerProblem, issuerProblem, pkceProblem, promptProblem, redirectProblem, webUrlProblem, withLoopbackHost } from "./option-checks.ts";
import { parseBoolean, parseDuration, parseInteger, parsePairs, problemOf, type RawOptions, splitList } from "./option-values.ts";
import { nearest } from "./nearest.ts";
import { type Secret, secret } from "./secret.ts";
import { splitCommand } from "./split-command.ts";
import { namesSubject, type Subject } from "./subject-source.ts";
import { safeText } from "./untrusted-text.ts";

/** One source of options. `typed` are flags of this command line: what is wrong there is FLAG_INVALID, elsewhere SETTINGS_INVALID. */
export interface OptionSource {
  /** For messages: `--`, `environment`, `context prod`, `cluster config`, `profile work`, `/etc/…/config.yaml`. */
  readonly label: string;
  readonly typed: boolean;
  /** What kind of place that is, where it matters. */
  readonly kind?: "stanza" | "environment" | "stanza-env" | "cluster" | "profile";
  /** From a configuration file of this computer, which a kubeconfig cannot write. */
  readonly isOwnFile?: true;
  readonly options: RawOptions;
}

export type Grant = (typeof grants)[number];

/** Where a machine's own token comes from (cli.md M16). */
export type IdentityKind = (typeof identityKinds)[number];

/** `auto`: when the issuer requires it (PAR) or advertises it (DPoP). */
export type Wish = (typeof wishes)[number];

/** Everything a session and a call depend on, after precedence. Seconds where the name says nothing. */
export interface Settings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  readonly clientSecretFile: string | undefined;
  /** private_key_jwt (RFC 7523): PEM or JWK. */
  readonly clientKeyFile: string | undefined;
  readonly clientKeyId: string | undefined;
  /** mTLS (RFC 8705): PEM. */
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
  readonly scopes: readonly string[];
  readonly offlineAccess: boolean;
  readonly grant: Grant;
  readonly listenAddresses: readonly string[];
  readonly redirectUrl: string | undefined;
  readonly useAccessToken: boolean;
  readonly extraParams: Readonly<Record<string, string>>;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly audiences: readonly string[];
  readonly account: string | undefined;
  readonly acrValues: string | undefined;
  readonly maxAge: number | undefined;
  readonly prompt: string | undefined;
  readonly caFiles: readonly string[];
  readonly caData: readonly string[];
  readonly insecure: boolean;
  readonly browserCommand: string | undefined;
  readonly skipOpenBrowser: boolean;
  readonly authenticationTimeout: number;
  readonly localServerCert: string | undefined;
  readonly localServerKey: string | undefined;
  readonly openAfter: string | undefined;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly passwordFile: string | undefined;
  /** `keyring`, `helper:NAME`, `disk`, `none` */
  readonly storage: string;
  readonly idTokenCache: "disk" | "keyring" | "none";
  readonly cacheDirectory: string | undefined;
  readonly minValidity: number;
  readonly credentialTtl: number;
  readonly forceRefresh: boolean;
  readonly par: Wish;
  readonly dpop: Wish;
  /** Seconds since the login after which a new one is needed, whatever the issuer allows. */
  readonly sessionMaxAge: number | undefined;
  readonly identity: IdentityKind | undefined;
  readonly subjectTokenFile: string | undefined;
  readonly subjectTokenCommand: string | undefined;
  readonly subjectTokenVariable: string | undefined;
  /** Of the kubeconfig; for `--identity=kubernetes`. */
  readonly subjectTokenContext: string | undefined;
  /** `NAMESPACE/NAME`; for `--identity=kubernetes`. */
  readonly subjectTokenServiceAccount: string | undefined;
  readonly subjectTokenAudience: string | undefined;
  readonly subjectTokenType: string | undefined;
  readonly requestedTokenType: string | undefined;
  /** `auto` for a machine: a token that the issuer itself made is handed through, any other exchanged. */
  readonly mayHandThrough: boolean;
  /** The identity that was found on this computer (core/subject-source.ts); undefined until it was looked for, and where none is needed. */
  readonly subject?: Subject | undefined;
  /** Why none was found: said by what needs its token. A stanza may be set up, or its session ended, on another machine. */
  readonly subjectFault?: OidcError | undefined;
  /** Undefined: not said, so that CI decides (cli.md M4). */
  readonly nonInteractive: boolean | undefined;
  readonly qr: boolean;
  /** Said when a request is made, never on a cached answer (cli.md M1). */
  readonly warnings: readonly string[];
}

/** The occurrences of each option from the strongest source that has any. Checks every source, so no bad value hides behind a good one. */
export function mergeSources(sources: readonly OptionSource[]): { readonly raw: RawOptions; readonly from: Readonly<Partial<Record<OptionName, OptionSource>>> } {
  const raw: Partial<Record<OptionName, readonly string[]>> = {};
  const from: Partial<Record<OptionName, OptionSource>> = {};
  for (const source of sources) {
    for (const row of optionTable) {
      const texts = source.options[row.name];
      if (texts === undefined) continue;
      const problem = problemOf(row, texts);
      const values: readonly string[] = "values" in row ? row.values : [];
      if (problem !== undefined) refuse(source, row.name, problem, source.typed ? nearest(texts.at(-1) ?? "", values) : undefined);
      if (raw[row.name] !== undefined) continue;
      // An empty text means "not set", as in kubelogin; it does hide weaker sources.
      raw[row.name] = texts.filter((text) => text !== "");
      from[row.name] = source;
    }
  }
  const strength = (name: OptionName) => (from[name] === undefined ? undefined : sources.indexOf(from[name]));
  return { raw: withoutWeakerProof(raw, strength), from };
}

function refuse(source: OptionSource | undefined, name: string, problem: string, near?: string): never {
  const typed = source === undefined || source.typed;
  const where = typed ? "" : ` (${safeText(source.label, 80)})`;
  return fail(typed ? "FLAG_INVALID" : "SETTINGS_INVALID", {
    message: `--${name}${where} ${problem}`,
    ...(near !== undefined ? { hint: `did you mean --${name}=${near}?` } : typed ? {} : { hint: `correct ${name} in ${safeText(source?.label ?? "", 80)}` }),
  });
}

/**
 * Precedence, strongest first, then defaults and the rules that join options (cli.md).
 * FLAG_INVALID or SETTINGS_INVALID by where the value came from, FLAG_CONFLICT, SETTINGS_INCOMPLETE.
 */
export function resolveSettings(sources: readonly OptionSource[]): Settings {
  const { raw, from } = mergeSources(sources);
  const texts = (name: OptionName) => raw[name] ?? [];
  const text = (name: OptionName) => texts(name).at(-1);
  const boolean = (name: OptionName) => unwrap(parseBoolean(text(name) ?? "false"));
  const integer = (name: OptionName) => (text(name) === undefined ? undefined : unwrap(parseInteger(text(name) ?? "")));
  const duration = (name: OptionName, byDefault: number) => (text(name) === undefined ? byDefault : unwrap(parseDuration(text(name) ?? "")));
  const pairs = (name: OptionName) => unwrap(parsePairs(texts(name)));
  const check = (name: OptionName, problem: string | undefined) => (problem === undefined ? undefined : refuse(from[name], name, problem));

  const issuer = text("oidc-issuer-url");
  const clientId = text("oidc-client-id");
  if (issuer === undefined || clientId === undefined) {
    return fail("SETTINGS_INCOMPLETE", { message: `${issuer === undefined ? "--oidc-issuer-url" : "--oidc-client-id"} is not set` });
  }
  check("oidc-issuer-url", issuerProblem(issuer));
  check("oidc-pkce-method", pkceProblem(text("oidc-pkce-method")));
  const storage = text("token-cache-storage") ?? "keyring";
  check("token-cache-storage", /^(keyring|disk|none|helper:[a-z0-9-]+)$/.test(storage) ? undefined : "must be keyring, helper:NAME, disk or none");
  const addresses = splitList(texts("listen-address"));
  for (const address of addresses) check("listen-address", addressProblem(address, boolean("allow-non-loopback")));
  const redirectUrl = text("oidc-redirect-url");
  check("oidc-redirect-url", redirectProblem(redirectUrl));
  check("open-url-after-authentication", webUrlProblem(text("open-url-after-authentication")));
  check("browser-command", splitCommand(text("browser-command") ?? "") === undefined ? "has a quote without its end" : undefined);
  check("oidc-request-header", headerProblem(pairs("oidc-request-header")));
  check("prompt", promptProblem(text("prompt")));
  const caData = splitList(texts("certificate-authority-data"));
  for (const data of caData) check("certificate-authority-data", authorityProblem(data));
  const sessionMaxAge = text("session-max-age") === undefined ? undefined : duration("session-max-age", 0);
  check("session-max-age", sessionMaxAge !== undefined && sessionMaxAge < shortestSession ? "must be at least 1m" : undefined);
  if ((text("local-server-cert") === undefined) !== (text("local-server-key") === undefined)) {
    fail("FLAG_CONFLICT", { message: "--local-server-cert and --local-server-key are needed together", hint: "give both options or none" });
  }
  const username = text("username");
  const identity = {
    identity: text("identity") as IdentityKind | undefined,
    subjectTokenFile: text("subject-token-file"),
    subjectTokenCommand: text("subject-token-command"),
    subjectTokenVariable: text("subject-token-variable"),
    subjectTokenServiceAccount: text("subject-token-service-account"),
  };
  const wanted = (text("grant-type") as Grant | undefined) ?? "auto";
  const isMachine = wanted === "auto" && username === undefined && namesSubject(identity);
  const grant = isMachine ? "token-exchange" : chosenGrant(wanted, username);
  const proof = (["oidc-client-secret", "oidc-client-secret-file", "client-key-file", "client-certificate"] as const).find((name) => text(name) !== undefined);
  if (grant === "client-credentials" && namesSubject(identity) && proof !== undefined)
    fail("FLAG_CONFLICT", { message: `a client is proved by --${proof} or by the platform's token, not by both`, hint: `leave out --${proof}, or --identity` });
  check("subject-token-command", splitCommand(identity.subjectTokenCommand ?? "") === undefined ? "has a quote without its end" : undefined);
  if (text("oidc-client-secret") !== undefined && text("oidc-client-secret-file") !== undefined && from["oidc-client-secret"] === from["oidc-client-secret-file"]) {
    fail("FLAG_CONFLICT", { message: "--oidc-client-secret and --oidc-client-secret-file contradict each other" });
  }
  checkClientProof(text);
  const audiences = splitList(texts("oidc-audience"));
  const unbound = boolean("oidc-use-access-token") ? "oidc-use-access-token" : audiences.length > 0 ? "oidc-audience" : undefined;
  if (text("dpop") === "always" && unbound !== undefined) {
    fail("FLAG_CONFLICT", { message: `--dpop=always and --${unbound} contradict each other: no API server takes an access token that is bound to a key` });
  }
  const wrapped = (name: OptionName) => (text(name) === undefined ? undefined : secret(text(name) ?? ""));
  return {
    issuer,
    clientId,
    clientSecret: wrapped("oidc-client-secret"),
    clientSecretFile: text("oidc-client-secret-file"),
    scopes: [
      ...new Set(
        splitList(texts("oidc-extra-scope"))
          .flatMap((scope) => scope.split(/\s+/))
          .filter((scope) => scope !== "" && scope !== "openid"),
      ),
    ].sort(),
    offlineAccess: !boolean("no-offline-access"),
    grant,
    listenAddresses: addresses.length > 0 ? addresses.map(withLoopbackHost) : defaultAddresses(redirectUrl),
    redirectUrl,
    useAccessToken: boolean("oidc-use-access-token"),
    extraParams: pairs("oidc-auth-request-extra-params"),
    requestHeaders: pairs("oidc-request-header"),
    audiences,
    account: text("account"),
    acrValues: text("acr-values"),
    maxAge: integer("max-age"),
    prompt: text("prompt"),
    caFiles: splitList(texts("certificate-authority")),
    caData,
    insecure: boolean("insecure-skip-tls-verify"),
    browserCommand: text("browser-command"),
    skipOpenBrowser: boolean("skip-open-browser"),
    authenticationTimeout: integer("authentication-timeout-sec") || 180,
    localServerCert: text("local-server-cert"),
    localServerKey: text("local-server-key"),
    openAfter: text("open-url-after-authentication"),
    username,
    password: wrapped("password"),
    passwordFile: text("password-file"),
    clientKeyFile: text("client-key-file"),
    clientKeyId: text("client-key-id"),
    clientCertificate: text("client-certificate"),
    clientKey: text("client-key"),
    par: (text("par") as Wish | undefined) ?? "auto",
    dpop: (text("dpop") as Wish | undefined) ?? "auto",
    sessionMaxAge,
    ...identity,
    mayHandThrough: isMachine,
    subjectTokenContext: text("subject-token-context"),
    subjectTokenAudience: text("subject-token-audience"),
    subjectTokenType: text("subject-token-type"),
    requestedTokenType: text("requested-token-type"),
    storage,
    idTokenCache: (text("id-token-cache") as Settings["idTokenCache"] | undefined) ?? (storage === "none" ? "none" : "disk"),
    cacheDirectory: text("token-cache-dir"),
    minValidity: duration("min-validity", 60),
    // A client that may keep a credential for a moment only would run us for every request (protocol.md EC-42).
    credentialTtl: Math.max(10, duration("credential-ttl", 300)),
    forceRefresh: boolean("force-refresh"),
    nonInteractive: text("non-interactive") === undefined ? undefined : boolean("non-interactive"),
    qr: boolean("qr"),
    warnings: warningsOf(raw, from, grant),
  };
}

/** Seconds. A shorter one would end in the middle of the first command. */
const shortestSession = 60;

function unwrap<T>(parsed: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }): T {
  return parsed.ok ? parsed.value : fail("SETTINGS_INVALID", { message: parsed.problem });
}

/** `auto` with `--username` selects the password grant, as kubelogin does. */
function chosenGrant(grant: Grant, username: string | undefined): Grant {
  return grant === "auto" && username !== undefined ? "password" : grant;
}

function warningsOf(raw: RawOptions, from: Readonly<Partial<Record<OptionName, OptionSource>>>, grant: Grant): readonly string[] {
  const warnings: string[] = [];
  const given = (name: OptionName) => (raw[name] ?? []).length > 0;
  if (given("oidc-client-secret") && from["oidc-client-secret"]?.label !== "environment")
    warnings.push("--oidc-client-secret can be read by other users of this computer; use --oidc-client-secret-file");
  if (given("password")) warnings.push("--password can be read by other users of this computer; use --password-file");
  if (grant === "password") warnings.push("the password grant must not be used any more (RFC 9700, section 2.4)");
  if (given("oidc-use-pkce")) warnings.push("--oidc-use-pkce is not needed: PKCE with S256 is always used");
  if (given("insecure-skip-tls-verify") && raw["insecure-skip-tls-verify"]?.at(-1) !== "false")
    warnings.push("--insecure-skip-tls-verify: the issuer's certificate is not checked");
  return warnings;
}

/** True for a known option name of `spec.cluster.config`. */
export function allowedFromCluster(name: string): boolean {
  return optionRow(name)?.fromCluster === true;
}
