import { checkEnvironment } from "../core/checks/environment.ts";
import { checkGrant } from "../core/checks/grant.ts";
import { checkClientAuthentication, checkClock, checkDiscovery, checkKeys, checkSupport, type IssuerInspection } from "../core/checks/issuer.ts";
import { checkKuberc, type KubercFacts } from "../core/checks/kuberc.ts";
import { checkNetwork, type RootFacts } from "../core/checks/network.ts";
import { type CheckId, checkTitles, failed, fromError, type Outcome, skipped } from "../core/checks/outcome.ts";
import { checkKubectl, checkProgram, type ProgramFacts } from "../core/checks/program.ts";
import { suspectsOf } from "../core/checks/refusal.ts";
import { checkReview } from "../core/checks/review.ts";
import { checkSources, type SourceFacts } from "../core/checks/sources.ts";
import { checkAuthoritySize, checkStanza, type StanzaFacts } from "../core/checks/stanza.ts";
import { checkAlgorithm, checkAudience, checkJti, checkNames, checkSize } from "../core/checks/token.ts";
import { decodeJwt } from "../core/id-token.ts";
import { isOidcError, type OidcError } from "../errors/oidc-error.ts";
import type { ApiServer, Clock } from "../ports.ts";
import { checkBrowser, checkPorts } from "./doctor-machine.ts";
import { askServer, attempt, currentToken, type Found } from "./doctor-session.ts";
import { checkStore } from "./doctor-store.ts";
import { type Run, seconds } from "./world.ts";

/** What `doctor` looks at beside the session. */
export interface Patient {
  /** Undefined: these options name no session; the error says why. */
  readonly run: Run | OidcError;
  /** The check that the error belongs to. */
  readonly faultIn: CheckId;
  readonly stanza: StanzaFacts | undefined;
  readonly stanzaEnv: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sources: SourceFacts;
  readonly kuberc: KubercFacts;
  resolve(command: string): string | undefined;
  readonly clock: Clock;
  readonly platform: string;
  readonly program: ProgramFacts;
  readonly server: ApiServer | undefined;
  /** Bytes of the base64 text of the cluster's authority. */
  readonly authorityBytes: number | undefined;
  /** Undefined: there is none. */
  kubectl(): Promise<string | undefined>;
  /** The proxies that requests go through, as sentences; SETTINGS_INVALID for one that cannot be used. */
  proxies(): { readonly issuer: string | undefined; readonly server: string | undefined };
  roots(): RootFacts;
  readonly notCounted: readonly string[];
}

export interface Check extends Outcome {
  readonly id: CheckId;
  readonly title: string;
}

/** Milliseconds for one check, whatever hangs. Refreshes have 40 seconds, and one after the other. */
const longest = 60_000;

const unreachable = ["ISSUER_UNREACHABLE", "ISSUER_TLS_UNTRUSTED", "API_SERVER_UNREACHABLE"];

/** All checks, as many at once as can be, in the order of their numbers. Never throws one of our errors: each is a finding. */
export async function examine(patient: Patient): Promise<readonly Check[]> {
  const { run } = patient;
  const known = isOidcError(run) ? undefined : run;
  const why = patient.faultIn === "D-16" ? "the session store cannot be used (D-16)" : `no issuer is known (${patient.faultIn})`;
  const inspection = known === undefined ? undefined : attempt(() => known.world.inspectIssuer());
  const token = known === undefined ? undefined : currentToken(known);
  const review = known === undefined ? undefined : reviewOf(known, token, patient.server);
  const whenKnown = async (action: (run: Run) => Outcome | Promise<Outcome>) => (known === undefined ? skipped(why) : action(known));
  /** The settings' fault in the place of the check that it belongs to. */
  const unlessAtFault = async (id: CheckId, action: () => Outcome | Promise<Outcome>) => (isOidcError(run) && patient.faultIn === id ? fromError(run) : action());
  const withIssuer = (action: (found: IssuerInspection, run: Run) => Outcome | Promise<Outcome>) =>
    whenKnown(async (run) => {
      const found = await inspection;
      return found?.kind === "value" ? action(found.value, run) : skipped("the issuer did not answer (D-04)");
    });
  const decodedToken = async () => {
    const text = (await token)?.token;
    const decoded = text === undefined ? undefined : decodeJwt(text);
    return text === undefined || decoded === undefined ? undefined : { ...decoded, text };
  };
  const withToken = (action: (token: NonNullable<Awaited<ReturnType<typeof decodedToken>>>, run: Run) => Outcome | Promise<Outcome>) =>
    whenKnown(async (run) => {
      const found = await token;
      const decoded = await decodedToken();
      if (decoded !== undefined) return action(decoded, run);
      return skipped(found?.token === undefined ? "there is no token (D-15)" : "the token is no JWT (D-07)");
    });
  const clock = once(async (): Promise<Outcome> => {
    const [found, seen, decoded] = await Promise.all([inspection, review, decodedToken()]);
    const iat = decoded?.claims["iat"];
    // A token is issued in the past; when that lies in the future, one of the two clocks is wrong.
    const ahead = typeof iat === "number" && known !== undefined ? iat - seconds(known.world) : 0;
    const offsets = [
      { of: "the issuer", seconds: found?.kind === "value" ? found.value.clockOffset : undefined },
      { of: "the API server", seconds: seen?.kind === "value" ? seen.value?.clockOffset : undefined },
      { of: "the token's iat", seconds: ahead > 0 ? ahead : undefined },
    ];
    return checkClock(
      offsets.flatMap(({ of, seconds }) => (seconds === undefined ? [] : [{ of, seconds }])),
      patient.platform,
    );
  });
  const keys = once(() =>
    withIssuer(async ({ keys: published, verifies }) => {
      if (published === undefined) return failed("ISSUER_UNREACHABLE", "the issuer's key set cannot be had", "check that its jwks_uri can be reached from here");
      const decoded = await decodedToken();
      return checkKeys(published, decoded?.header["kid"], decoded === undefined ? undefined : verifies(decoded.text));
    }),
  );

  const checks: Readonly<Record<CheckId, () => Promise<Outcome>>> = {
    "D-01": () => unlessAtFault("D-01", () => checkStanza(patient.stanza)),
    "D-02": async () => checkKuberc(patient.kuberc, patient.stanza?.command, patient.resolve),
    "D-03": async () => checkEnvironment(patient.env, patient.stanzaEnv, patient.stanza?.user),
    "D-04": () =>
      whenKnown(async ({ settings }) => {
        const found = await inspection;
        if (found?.kind !== "fault") return checkDiscovery(settings.issuer, found?.value.metadata ?? {});
        const proxied = unreachable.includes(found.error.code) && patient.proxies().issuer !== undefined;
        return { ...fromError(found.error), ...(proxied ? { blames: "D-17" as const } : {}) };
      }),
    "D-05": () => withIssuer(({ metadata }, { settings }) => checkGrant(metadata, settings) ?? checkSupport(metadata, settings)),
    "D-06": () =>
      whenKnown(async ({ world }) => {
        const proof = await world.clientProof();
        return withIssuer(({ metadata }) => checkClientAuthentication(metadata, proof, world.clock.now()));
      }),
    "D-07": async () =>
      (await token)?.token !== undefined && (await decodedToken()) === undefined
        ? failed("ID_TOKEN_INVALID", "the token is no JWT, and an API server reads nothing else", "hand out the ID token: remove --oidc-use-access-token")
        : withToken(({ header }) => checkAlgorithm(header["alg"])),
    "D-08": () => withToken(({ claims }, { settings }) => checkAudience(claims, settings.clientId, settings.audiences)),
    "D-09": () => withToken(({ claims }) => checkNames(claims)),
    "D-10": () => withToken(({ claims }) => checkJti(claims)),
    "D-11": () => withToken(({ text }) => checkSize(text)),
    "D-12": keys,
    "D-13": () => whenKnown(clock),
    "D-14": () =>
      withToken(async ({ header, claims, text }, { settings }) => {
        const seen = await review;
        if (seen?.kind === "fault")
          return { ...fromError(seen.error), ...(unreachable.includes(seen.error.code) && patient.proxies().server !== undefined ? { blames: "D-17" as const } : {}) };
        if (seen?.value === undefined) return skipped("no API server is known: no context is used");
        const { clientId, audiences } = settings;
        return checkReview(seen.value, claims, suspectsOf({ text, header, claims, clientId, audiences, clock: await clock(), keys: await keys() }));
      }),
    "D-15": () => whenKnown(async () => (await token)?.outcome ?? skipped("")),
    "D-16": () =>
      unlessAtFault("D-16", () =>
        whenKnown(async (run) => {
          // A refresh that goes on holds the lock that is tried.
          await token;
          return checkStore(run);
        }),
      ),
    "D-17": async () => {
      const { issuer, server } = patient.proxies();
      const [found, seen] = await Promise.all([inspection, review]);
      const isInTheWay = (asked: Found<unknown> | undefined) => asked?.kind === "fault" && unreachable.includes(asked.error.code);
      const proxies = [
        { sentence: issuer, isInTheWay: isInTheWay(found) },
        { sentence: server, isInTheWay: isInTheWay(seen) },
      ].flatMap(({ sentence, isInTheWay }) => (sentence === undefined ? [] : [{ sentence, isInTheWay }]));
      const settings = known?.settings;
      const added = [...(settings?.caFiles ?? []), ...(settings?.caData.length ? ["certificate-authority-data"] : [])];
      return checkNetwork({ proxies, roots: patient.roots(), added, insecure: settings?.insecure ?? false, notCounted: patient.notCounted });
    },
    "D-18": () => whenKnown((run) => checkPorts(run, patient.platform)),
    "D-19": () => whenKnown(checkBrowser),
    "D-20": async () => checkAuthoritySize(patient.authorityBytes, patient.stanza?.provideClusterInfo ?? false),
    "D-21": async () => checkProgram(patient.program),
    "D-22": async () => checkKubectl(await patient.kubectl()),
    "D-23": () => unlessAtFault("D-23", () => checkSources(patient.sources)),
  };
  return Promise.all(Object.entries(checkTitles).map(async ([id, title]) => ({ id: id as CheckId, title, ...(await settled(patient, checks[id as CheckId])) })));
}

/** The server's word about the token, as soon as there is one. */
async function reviewOf(run: Run, token: ReturnType<typeof currentToken> | undefined, server: ApiServer | undefined): ReturnType<typeof askServer> {
  return askServer(run, await token, server);
}

/** The first call's result for every call. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  const made: { promise?: Promise<T> } = {};
  return () => {
    made.promise ??= make();
    return made.promise;
  };
}

async function settled({ clock }: Patient, check: () => Promise<Outcome>): Promise<Outcome> {
  const done = new AbortController();
  const late = clock.sleep(longest, done.signal).then(() => failed("UNEXPECTED", `no answer in ${longest / 1000} s`));
  // The sleep that is not needed any more ends with an error that nobody waits for.
  late.catch(() => undefined);
  try {
    const found = await Promise.race([attempt(check), late]);
    return "kind" in found ? (found.kind === "value" ? found.value : fromError(found.error)) : found;
  } finally {
    done.abort();
  }
}
