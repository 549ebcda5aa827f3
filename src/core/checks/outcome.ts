import type { ErrorCode } from "../../errors/catalogue.ts";
import { entryOf } from "../../errors/catalogue.ts";
import type { OidcError } from "../../errors/oidc-error.ts";

/** What one check of `doctor` found. */
export interface Outcome {
  readonly status: "ok" | "warn" | "fail" | "skipped";
  /** One sentence, made safe. */
  readonly detail: string;
  /** What to do, for pasting where that is possible. */
  readonly cure?: string;
  /** Of a failure: the exit status that `doctor` ends with when it is the first (cli.md M12). */
  readonly exit?: number;
  /** Of a failure: the check that found its likely cause. */
  readonly blames?: CheckId | undefined;
}

/** The checks in their order; the numbers are those of docs/reference/doctor.md and stay. */
export const checkTitles = {
  "D-01": "kubeconfig stanza",
  "D-02": "kubectl's plugin policy (kuberc)",
  "D-03": "environment",
  "D-04": "discovery",
  "D-05": "what the issuer supports",
  "D-06": "client authentication",
  "D-07": "signature algorithm",
  "D-08": "audience and life of the token",
  "D-09": "user name and groups",
  "D-10": "token ID (jti)",
  "D-11": "size of the token",
  "D-12": "keys of the issuer",
  "D-13": "clock",
  "D-14": "API server",
  "D-15": "refresh",
  "D-16": "where the session is stored",
  "D-17": "proxies and authorities",
  "D-18": "callback ports",
  "D-19": "browser",
  "D-20": "size of the cluster's authority",
  "D-21": "this program and Node",
  "D-22": "kubectl",
  "D-23": "where the settings come from",
} as const;

export type CheckId = keyof typeof checkTitles;

export const ok = (detail: string): Outcome => ({ status: "ok", detail });
export const warn = (detail: string, cure?: string): Outcome => ({ status: "warn", detail, ...(cure === undefined ? {} : { cure }) });
export const skipped = (detail: string): Outcome => ({ status: "skipped", detail });
/** `code` says who must act. */
export const failed = (code: ErrorCode, detail: string, cure?: string): Outcome => ({ status: "fail", detail, exit: entryOf(code).exit, cure: cure ?? entryOf(code).hint });

/** Our error as a finding. */
export const fromError = (error: OidcError): Outcome => failed(error.code, error.reason === undefined ? error.message : `${error.message}: ${error.reason}`, error.hint);

/** Causes before what follows from them: a clock that is wrong is why a token is refused. Those that are not named come last, by their numbers. */
const causesFirst: readonly CheckId[] = ["D-23", "D-01", "D-02", "D-03", "D-13", "D-16", "D-04", "D-12", "D-06", "D-05", "D-18", "D-19", "D-15", "D-07", "D-09", "D-08", "D-14"];

/** Of everything that failed, the check whose cure is to be tried first; undefined when nothing failed. */
export function likeliest<T extends Outcome & { readonly id: CheckId }>(checks: readonly T[]): T | undefined {
  const place = ({ id }: T) => (causesFirst.includes(id) ? causesFirst.indexOf(id) : causesFirst.length);
  const [first] = checks.filter(({ status }) => status === "fail").sort((one, other) => place(one) - place(other));
  const blamed = checks.find(({ id, status }) => id === first?.blames && (status === "fail" || status === "warn"));
  return blamed ?? first;
}

const rank = { fail: 3, warn: 2, ok: 1, skipped: 0 } as const;

/** Several findings of one check as one: the worst leads, and what is not good is all said. */
export function together(outcomes: readonly Outcome[], allGood: string): Outcome {
  const bad = outcomes.filter(({ status }) => status === "fail" || status === "warn").sort((one, other) => rank[other.status] - rank[one.status]);
  const [worst] = bad;
  return worst === undefined ? ok(allGood) : { ...worst, detail: bad.map(({ detail }) => detail).join("; ") };
}
