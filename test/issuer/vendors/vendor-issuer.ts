import { makeCertificates } from "../certificates.ts";
import type { Answer } from "../issuer-answer.ts";
import { type Behaviour, type Misbehaving, type Override, startMisbehaving } from "../misbehaving.ts";
import type { IssuerRoute } from "../received-request.ts";
import { nameHosts } from "./named-hosts.ts";

/**
 * One vendor's issuer, as its public documentation describes it: where what lies, what the discovery document says, what its answers have
 * that others' have not. Names of tenants, pools and people are invented.
 */
export interface Vendor {
  /** The issuer's real host; undefined: customers have hosts of their own, and this computer's will do. */
  readonly host?: string;
  /** Of the issuer URL, behind its origin. */
  readonly path: string;
  /** Paths behind the origin, or URLs at other hosts; those of discovery and the verification page included. */
  readonly endpoints: Readonly<Partial<Record<IssuerRoute, string>>>;
  /** The same of what is there and is not in the document. */
  readonly unsaid?: Readonly<Partial<Record<IssuerRoute, string>>>;
  /** The discovery document's other members. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Claims of the person's ID tokens, laid over the small issuer's. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** What it does unlike the small issuer. `origin`: of its server. */
  readonly behaviour: Behaviour;
}

/** It answers as the vendor does; `become` lays more over that, and `{}` takes it away again. */
export interface VendorIssuer extends Misbehaving {
  /** What a program needs to come to it. */
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Hosts to which a way was asked for, each once; none when it has this computer's. */
  asked(): readonly string[];
  /** A page of it, as a browser that follows no redirect gets it. */
  visit(url: string): Promise<Response>;
}

const endpointMembers: Readonly<Partial<Record<IssuerRoute, string>>> = {
  authorization: "authorization_endpoint",
  token: "token_endpoint",
  jwks: "jwks_uri",
  device_authorization: "device_authorization_endpoint",
  revocation: "revocation_endpoint",
  end_session: "end_session_endpoint",
  userinfo: "userinfo_endpoint",
};

/** The document that the vendor publishes: nothing that it does not say of itself. */
export function discoveryOf({ endpoints, metadata }: Vendor, issuer: string): Record<string, unknown> {
  const { origin } = new URL(issuer);
  const named = Object.entries(endpointMembers).flatMap(([route, member]) => {
    const path = endpoints[route as IssuerRoute];
    return path === undefined ? [] : [[member, new URL(path, origin).href]];
  });
  return { issuer, ...Object.fromEntries(named), ...metadata };
}

const routesOf = ({ endpoints, unsaid }: Vendor): readonly (readonly [path: string, route: IssuerRoute])[] =>
  Object.entries({ ...endpoints, ...unsaid }).map(([route, path]) => [path, route as IssuerRoute]);

/** Starts the small issuer in the vendor's place, on this computer: over plain http, or under the vendor's names. `folder` takes a certificate authority. */
export async function startVendor(vendor: Vendor, folder: string): Promise<VendorIssuer> {
  const discovery = [`${vendor.path.replace(/\/$/, "")}/.well-known/openid-configuration`, "discovery"] as const;
  const routes = [discovery, ...routesOf(vendor)];
  const { started, ...way } = await (vendor.host === undefined ? startHere(vendor.path, routes) : startUnderNames(vendor.host, vendor.path, routes, folder));
  const usual: Behaviour = {
    discovery: { json: discoveryOf(vendor, started.issuer) },
    authorization: withoutIss,
    idToken: () => ({ alg: "RS256", claims: vendor.claims }),
    ...vendor.behaviour,
  };
  const become = (behaviour: Behaviour) => started.become({ ...usual, ...behaviour });
  become({});
  return { ...started, ...way, become };
}

type Routes = ReturnType<typeof routesOf>;

async function startHere(path: string, routes: Routes) {
  const started = await startMisbehaving({}, { site: { path, routes: Object.fromEntries(routes) } });
  return { started, options: [], env: {}, asked: () => [], visit: (url: string) => fetch(url, { redirect: "manual" }) };
}

/** At each name there is what the vendor has there, and nothing else. */
async function startUnderNames(host: string, path: string, routes: Routes, folder: string) {
  const origin = `https://${host}`;
  const urls = routes.map(([there, route]) => [new URL(there, origin).href, route] as const);
  const hosts = [...new Set(urls.map(([url]) => new URL(url).hostname))];
  const certificates = await makeCertificates(folder, { subject: { CN: [host] }, names: hosts.map((value) => ({ type: "dns", value })) });
  const server = await startMisbehaving({}, { certificates, site: { origin, path, routes: Object.fromEntries(urls) } });
  const names = await nameHosts(hosts, server.port, certificates.caPem);
  const stop = async () => {
    await Promise.all([names.stop(), server.stop()]);
  };
  return {
    started: { ...server, stop },
    options: [`--certificate-authority=${certificates.caFile}`],
    env: { HTTPS_PROXY: names.proxy },
    asked: () => [...new Set(names.asked)].sort(),
    visit: names.visit,
  };
}

/** Of these vendors none is known to name itself in the answer (RFC 9207) unless its document says so. */
const withoutIss: Override = async (_request, _nth, proper): Promise<Answer> => {
  const answer = await proper();
  const location = answer.headers?.["location"];
  if (location === undefined) return answer;
  const url = new URL(location);
  url.searchParams.delete("iss");
  return { ...answer, headers: { ...answer.headers, location: url.href } };
};
