import type { Certificates } from "../../issuer/certificates.ts";

/** Who logs in, as the issuer's pages ask for it. */
export interface Somebody {
  readonly account: string;
  readonly password: string;
}

/** A server of somebody else that was started for a test, over TLS on loopback, with people in it. */
export interface RealIssuer {
  /** As its discovery document spells it. */
  readonly issuer: string;
  readonly certificates: Certificates;
  /** Of whoever may use the cluster. Registered as its how-to page says. */
  readonly clientId: string;
  /** Where the client's registered redirect URLs lie: the page's 8000 and 18000, moved to ports that are free here. */
  readonly ports: readonly [number, number];
  /** Where its pages lie, when that is elsewhere. */
  readonly pages?: readonly string[];
  /** In the groups developers and admins. */
  readonly alice: Somebody;
  /** A text of a how-to page for this issuer: the example's addresses, ports and secrets become the test's. */
  filled(text: string): string;
  stop(): Promise<void>;
}
