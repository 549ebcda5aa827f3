import { safeText } from "../untrusted-text.ts";
import { type Outcome, together, warn } from "./outcome.ts";

/** What requests of this session go through, and whom they believe. */
export interface NetworkFacts {
  /** A sentence for each of issuer and API server that is reached through a proxy; `isInTheWay`: and could not be reached. */
  readonly proxies: readonly { readonly sentence: string; readonly isInTheWay: boolean }[];
  readonly roots: RootFacts;
  /** What --certificate-authority and -data name. */
  readonly added: readonly string[];
  readonly insecure: boolean;
  /** Variables that strict passes over. */
  readonly notCounted: readonly string[];
}

/** Where the roots come from that a request trusts. */
export interface RootFacts {
  /** The system's bundle; undefined where the trust is in none. */
  readonly bundle: string | undefined;
  /** SSL_CERT_FILE and NODE_EXTRA_CA_CERTS: how many certificates each brings; undefined: not set. */
  readonly insteadOfSystem: number | undefined;
  readonly extra: number | undefined;
}

/** D-17. */
export function checkNetwork({ proxies, roots, added, insecure, notCounted }: NetworkFacts): Outcome {
  const outcomes: Outcome[] = proxies
    .filter(({ isInTheWay }) => isInTheWay)
    .map(({ sentence }) => warn(`${sentence}, and cannot be reached: it may be in the way`, "check HTTPS_PROXY and NO_PROXY (the cluster's proxy-url in the kubeconfig)"));
  if (insecure)
    outcomes.push(warn("--insecure-skip-tls-verify: the issuer's certificate is not checked", "remove --insecure-skip-tls-verify, and add --certificate-authority=FILE"));
  for (const [name, count] of [
    ["SSL_CERT_FILE", roots.insteadOfSystem],
    ["NODE_EXTRA_CA_CERTS", roots.extra],
  ] as const)
    if (count === 0) outcomes.push(warn(`${name} names no file with certificates, and brings nothing`, `correct or unset ${name}`));
  const trusted = [
    "Node's roots",
    roots.insteadOfSystem ? `${certificates(roots.insteadOfSystem)} of SSL_CERT_FILE in place of the system's` : `the system's (${roots.bundle ?? "none found"})`,
    ...(roots.extra ? [`${certificates(roots.extra)} of NODE_EXTRA_CA_CERTS`] : []),
    ...added.map((name) => safeText(name, 120)),
  ];
  const through = proxies.length === 0 ? "no proxy" : proxies.map(({ sentence }) => sentence).join("; ");
  const strict = notCounted.length === 0 ? "" : `; under strict, kubectl's call does not count ${notCounted.join(", ")}`;
  return together(outcomes, `${through}; trusted: ${trusted.join(", ")}${strict}`);
}

const certificates = (count: number) => `${count} ${count === 1 ? "certificate" : "certificates"}`;
