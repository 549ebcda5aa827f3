import type { Answer } from "../issuer-answer.ts";
import { type Behaviour, type IssuerSite, type Misbehaving, type Override, startMisbehaving } from "../misbehaving.ts";
import type { IssuerRoute } from "../received-request.ts";

/**
 * One vendor's issuer, as its public documentation describes it: where what lies, what the discovery document says, what its answers have
 * that others' have not. Names of tenants, pools and people are invented.
 */
export interface Vendor {
  /** Of the issuer URL, behind its origin. */
  readonly path: string;
  /** Paths behind the origin; those of discovery and the verification page included. */
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
export type VendorIssuer = Misbehaving;

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
    return path === undefined ? [] : [[member, `${origin}${path}`]];
  });
  return { issuer, ...Object.fromEntries(named), ...metadata };
}

const routesOf = ({ endpoints, unsaid }: Vendor): readonly (readonly [path: string, route: IssuerRoute])[] =>
  Object.entries({ ...endpoints, ...unsaid }).map(([route, path]) => [path, route as IssuerRoute]);

/** Starts the small issuer in the vendor's place, on this computer over plain http. */
export async function startVendor(vendor: Vendor): Promise<VendorIssuer> {
  const site: IssuerSite = {
    path: vendor.path,
    routes: Object.fromEntries([[`${vendor.path.replace(/\/$/, "")}/.well-known/openid-configuration`, "discovery"], ...routesOf(vendor)]),
  };
  const started = await startMisbehaving({}, { site });
  const usual: Behaviour = {
    discovery: { json: discoveryOf(vendor, started.issuer) },
    authorization: withoutIss,
    idToken: () => ({ alg: "RS256", claims: vendor.claims }),
    ...vendor.behaviour,
  };
  const become = (behaviour: Behaviour) => started.become({ ...usual, ...behaviour });
  become({});
  return { ...started, become };
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
