import { checkEnvironment } from "../core/checks/environment.ts";
import { checkClientAuthentication, checkClock, checkKeys, checkSupport, type IssuerInspection } from "../core/checks/issuer.ts";
import { checkKuberc, type KubercFacts } from "../core/checks/kuberc.ts";
import { type CheckId, checkTitles, failed, fromError, type Outcome, ok, skipped, warn } from "../core/checks/outcome.ts";
import { checkReview } from "../core/checks/review.ts";
import { checkAuthoritySize, checkProgram, checkStanza, type StanzaFacts } from "../core/checks/stanza.ts";
import { checkAlgorithm, checkAudience, checkJti, checkNames, checkSize } from "../core/checks/token.ts";
import { decodeJwt } from "../core/id-token.ts";
import { safeText } from "../core/untrusted-text.ts";
import { isOidcError, type OidcError } from "../errors/oidc-error.ts";
import type { ApiServer, Clock } from "../ports.ts";
import { checkBrowser, checkPorts, checkStore } from "./doctor-machine.ts";
import { askServer, attempt, currentToken, type FoundToken } from "./doctor-session.ts";
import type { Run } from "./world.ts";

/** What `doctor` looks at beside the session. */
export interface Patient {
  /** Undefined: these options name no session; the error says why. */
  readonly run: Run | OidcError;
  readonly stanza: StanzaFacts | undefined;
  readonly stanzaEnv: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly kuberc: KubercFacts;
  resolve(command: string): string | undefined;
  readonly clock: Clock;
  readonly version: string;
  readonly node: string;
  readonly server: ApiServer | undefined;
  /** Bytes of the base64 text of the cluster's authority. */
  readonly authorityBytes: number | undefined;
  /** Undefined: there is none. */
  kubectl(): Promise<string | undefined>;
  /** The proxies that requests go through, as sentences; SETTINGS_INVALID for one that cannot be used. */
  proxies(): readonly string[];
}

export interface Check extends Outcome {
  readonly id: CheckId;
  readonly title: string;
}

/** Milliseconds for one check, whatever hangs. Refreshes have 40 seconds, and one after the other. */
const longest = 60_000;

/** All checks, as many at once as can be, in the order of their numbers. Never throws one of our errors: each is a finding. */
export async function examine(patient: Patient): Promise<readonly Check[]> {
  const { run } = patient;
  const known = isOidcError(run) ? undefined : run;
  const why = isOidcError(run) ? "no issuer is known" : "";
  const inspection = known === undefined ? undefined : attempt(() => known.world.inspectIssuer());
  const token = known === undefined ? undefined : currentToken(known);
  const review = known === undefined ? undefined : tokenAndServer(known, token, patient.server);
  const whenKnown = async (action: (run: Run) => Outcome | Promise<Outcome>) => (known === undefined ? skipped(why) : action(known));
  const withIssuer = (action: (found: IssuerInspection, run: Run) => Outcome) =>
    whenKnown(async (run) => {
      const found = await inspection;
      return found?.kind === "value" ? action(found.value, run) : skipped("the issuer did not answer (D-04)");
    });
  const withToken = (action: (decoded: NonNullable<ReturnType<typeof decodeJwt>>, text: string, run: Run) => Outcome | Promise<Outcome>) =>
    whenKnown(async (run) => {
      const text = (await token)?.token;
      const decoded = text === undefined ? undefined : decodeJwt(text);
      return text === undefined || decoded === undefined ? skipped("there is no token (D-15)") : action(decoded, text, run);
    });

  const checks: Readonly<Record<CheckId, () => Promise<Outcome>>> = {
    "D-01": async () => (isOidcError(run) ? fromError(run) : checkStanza(patient.stanza)),
    "D-02": async () => checkKuberc(patient.kuberc, patient.stanza?.command, patient.resolve),
    "D-03": async () => checkEnvironment(patient.env, patient.stanzaEnv),
    "D-04": () =>
      whenKnown(async ({ settings }) => {
        const found = await inspection;
        return found?.kind === "fault" ? fromError(found.error) : ok(`${safeText(settings.issuer, 120)} is what the issuer calls itself`);
      }),
    "D-05": () => withIssuer(({ metadata }, { settings }) => checkSupport(metadata, settings.grant)),
    "D-06": () => withIssuer(({ metadata }, { settings }) => checkClientAuthentication(metadata, settings.clientSecret !== undefined || settings.clientSecretFile !== undefined)),
    "D-07": () => withToken(({ header }) => checkAlgorithm(header["alg"])),
    "D-08": () => withToken(({ claims }, _, { settings }) => checkAudience(claims, settings.clientId)),
    "D-09": () => withToken(({ claims }) => checkNames(claims)),
    "D-10": () => withToken(({ claims }) => checkJti(claims)),
    "D-11": () => withToken((_, text) => checkSize(text)),
    "D-12": () =>
      whenKnown(async () => {
        const found = await inspection;
        if (found?.kind !== "value") return skipped("the issuer did not answer (D-04)");
        if (found.value.keys === undefined) return failed("ISSUER_UNREACHABLE", "the issuer's key set cannot be had", "check that its jwks_uri can be reached from here");
        const text = (await token)?.token;
        return checkKeys(found.value.keys, text === undefined ? undefined : decodeJwt(text)?.header["kid"]);
      }),
    "D-13": () =>
      whenKnown(async () => {
        const [found, seen] = await Promise.all([inspection, review]);
        const offsets = [
          { of: "the issuer", seconds: found?.kind === "value" ? found.value.clockOffset : undefined },
          { of: "the API server", seconds: seen?.review?.clockOffset },
        ];
        return checkClock(offsets.flatMap(({ of, seconds }) => (seconds === undefined ? [] : [{ of, seconds }])));
      }),
    "D-14": () =>
      withToken(async ({ header, claims }, text) => {
        const seen = await review;
        if (seen?.error !== undefined) return fromError(seen.error);
        if (seen?.review === undefined) return skipped("no API server is known: no context is used");
        const suspects = [checkNames(claims), checkAlgorithm(header["alg"]), checkSize(text)].filter(({ status }) => status !== "ok").map(({ detail }) => detail);
        return checkReview(seen.review, claims, suspects);
      }),
    "D-15": () => whenKnown(async () => (await token)?.outcome ?? skipped("")),
    "D-16": () => whenKnown(checkStore),
    "D-17": async () => {
      const through = patient.proxies();
      if (through.length === 0) return ok("no proxy");
      const found = await inspection;
      return found?.kind === "fault" ? warn(`${through.join("; ")}: it may be in the way`, "check HTTPS_PROXY and NO_PROXY") : ok(through.join("; "));
    },
    "D-18": () => whenKnown(checkPorts),
    "D-19": () => whenKnown(checkBrowser),
    "D-20": async () => checkAuthoritySize(patient.authorityBytes, patient.stanza?.provideClusterInfo ?? false),
    "D-21": async () =>
      patient.stanza === undefined
        ? ok(`kubectl-oidc ${safeText(patient.version, 40)} on Node ${safeText(patient.node, 20)}`)
        : checkProgram(patient.stanza.own, patient.stanza.onPath, patient.version, patient.node),
    "D-22": async () => {
      const version = await patient.kubectl();
      return version === undefined ? warn("there is no kubectl on the PATH, or it does not say its version", "install kubectl") : ok(safeText(version, 40));
    },
  };
  return Promise.all(Object.entries(checkTitles).map(async ([id, title]) => ({ id: id as CheckId, title, ...(await settled(patient, checks[id as CheckId])) })));
}

/** The server's word about the token, as soon as there is one. */
async function tokenAndServer(run: Run, token: Promise<FoundToken> | undefined, server: ApiServer | undefined): Promise<Awaited<ReturnType<typeof askServer>>> {
  return askServer(run, await token, server);
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
