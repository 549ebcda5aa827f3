import * as tls from "node:tls";
import type { Roots } from "./trust-roots.ts";

const minVersion = "TLSv1.2";

/** No session has met more: the issuer's, and that of an endpoint elsewhere. */
const mostRoots = 4;

/** What a client shows of itself (RFC 8705). */
export type Identity = Readonly<Record<"cert" | "key", string>>;

/** The trust of a run's connections: the roots that verified them before, and all as soon as those do not do. */
export interface KnownRoots {
  /** For a connection, as things are now. `identity`: the certificate and key (PEM) that it shows when it is asked; one for a run. */
  options(identity?: Identity): object;
  /** Begins with these alone, as far as they are trusted now. Without effect once all are in use. */
  begin(pems: readonly string[]): void;
  /** After a certificate that did not verify. True when it was tried with those few alone: then it may be tried again, with all. */
  widen(): boolean;
  /** Notes the root of a connection that was verified. */
  learn(socket: unknown): void;
  /** The roots that verified a connection of this run, or were begun with. */
  learned(): readonly string[];
}

/**
 * All roots of a computer take OpenSSL 30 to 50 ms to read, the one that an issuer needs a fraction of one. A root counts only while it
 * is among those that are trusted, whatever an earlier run says; fewer than those is never less safe. Node writes nothing to a
 * connection before its certificate is verified, so a request that fails by that was not made.
 */
export function knownRoots(roots: () => Roots): KnownRoots {
  const state: { few: readonly string[]; options: object | undefined; showing: object | undefined; isAll: boolean } = {
    few: [],
    options: undefined,
    showing: undefined,
    isAll: false,
  };
  const learned = new Set<string>();

  return {
    options(identity) {
      state.isAll ||= state.few.length === 0;
      const trusted = () => (state.isAll ? roots().all() : state.few);
      if (identity !== undefined) {
        state.showing ??= checked(trusted(), identity);
        return state.showing;
      }
      state.options ??= checked(trusted());
      return state.options;
    },
    begin(pems) {
      if ((state.options ?? state.showing) !== undefined || pems.length === 0 || pems.length > mostRoots || !pems.every((pem) => roots().has(pem))) return;
      state.few = pems;
      for (const pem of pems) learned.add(pem);
    },
    widen() {
      if (state.isAll) return false;
      Object.assign(state, { few: [], options: undefined, showing: undefined, isAll: true });
      return true;
    },
    learn(socket) {
      if (!state.isAll || !(socket instanceof tls.TLSSocket) || !socket.authorized) return;
      const root = rootOf(socket.getPeerCertificate(true));
      const pem =
        root === undefined
          ? undefined
          : roots()
              .all()
              .find((one) => bodyOf(one) === root);
      if (pem !== undefined) learned.add(pem);
    },
    learned: () => [...learned].slice(0, mostRoots),
  };
}

/** One context for every request: building it is what takes long. One text for each root: behind one that OpenSSL cannot read it reads no further. `ca` says the same to a runtime that knows no contexts (Bun). */
function checked(pems: readonly string[], identity: Identity | undefined = undefined): object {
  const shown = identity === undefined ? {} : { cert: identity.cert, key: identity.key };
  const secureContext = tls.createSecureContext({ ca: [...pems], minVersion, ...shown });
  return { rejectUnauthorized: true, minVersion, secureContext, ...("bun" in process.versions ? { ca: [...pems], ...shown } : {}) };
}

/** The end of the chain: base64 of its DER. */
function rootOf(certificate: tls.DetailedPeerCertificate): string | undefined {
  let last = certificate;
  for (let depth = 0; depth < 10 && last.issuerCertificate !== undefined && last.issuerCertificate !== last; depth++) last = last.issuerCertificate;
  return last.raw?.toString("base64");
}

const bodyOf = (pem: string) => pem.replace(/-----[^-]*-----|\s/g, "");
