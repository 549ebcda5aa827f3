import type { Behaviour, Override } from "../issuer/misbehaving.ts";
import type { Forgery } from "../issuer/issuer-keys.ts";
import { unknownExtension } from "../issuer/issuer-keys.ts";

/** What an ID token can be that nobody may believe. */
export interface ForgedIdToken {
  readonly name: string;
  /** Points that its refusal proves, at login and at refresh; none: it is not tried there. */
  readonly login: string | undefined;
  readonly refresh: string | undefined;
  /** At refresh: it names another issuer, client or person, so the session ends. The others are faults, which pass. */
  readonly isForeign?: true;
  readonly behaviour: (issuer: string) => Behaviour;
}

const now = () => Math.floor(Date.now() / 1000);
const claims = (changes: Readonly<Record<string, unknown>>) => () => ({ idToken: { claims: changes } });
const forged = (forgery: Forgery) => () => ({ idToken: forgery });
/** Another payload under the same signature. */
const tampered = (token: string) => {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const changed = { ...JSON.parse(Buffer.from(payload, "base64url").toString()), groups: ["system:masters"] };
  return `${header}.${Buffer.from(JSON.stringify(changed)).toString("base64url")}.${signature}`;
};
const withoutName = { header: { kid: undefined } };

/** One row for each module of the OpenID Basic, refresh and FAPI 2 plans that sends such a token (protocol.md, section 6), and our own. */
export const forgedIdTokens: readonly ForgedIdToken[] = [
  { name: "of another issuer", login: "ID-01, RP-02", refresh: "RF-01, RP-31", isForeign: true, behaviour: (issuer) => ({ idToken: { claims: { iss: `${issuer}1` } } }) },
  { name: "of the issuer with a slash more", login: "ID-01", refresh: "RF-01", isForeign: true, behaviour: (issuer) => ({ idToken: { claims: { iss: `${issuer}/` } } }) },
  { name: "that names no issuer", login: "ID-01, RP-59", refresh: "RF-01", behaviour: claims({ iss: undefined }) },
  { name: "for another client", login: "ID-03, RP-04", refresh: "RF-01", isForeign: true, behaviour: claims({ aud: "kubernetes1" }) },
  { name: "for no client", login: "ID-03, RP-40, RP-57", refresh: "RF-01", behaviour: claims({ aud: undefined }) },
  { name: "for a stranger too", login: "ID-04, RP-62", refresh: "ID-04", behaviour: claims({ aud: ["kubernetes", "stranger"] }) },
  { name: "for a stranger too, who asked for it (azp)", login: "ID-04", refresh: "ID-04", behaviour: claims({ aud: ["kubernetes", "stranger"], azp: "stranger" }) },
  { name: "for us, that a stranger asked for (azp)", login: "ID-05, RP-90", refresh: "ID-05", behaviour: claims({ azp: "stranger" }) },
  { name: "for us, with an azp that is no text", login: "ID-05", refresh: "ID-05", behaviour: claims({ azp: ["kubernetes"] }) },
  { name: "without a subject", login: "ID-17, RP-03", refresh: "ID-17", behaviour: claims({ sub: undefined }) },
  { name: "with an empty subject", login: "ID-17", refresh: undefined, behaviour: claims({ sub: "" }) },
  { name: "with a subject of 256 characters", login: "ID-17", refresh: undefined, behaviour: claims({ sub: "s".repeat(256) }) },
  { name: "with a number for a subject", login: "ID-17", refresh: undefined, behaviour: claims({ sub: 1 }) },
  { name: "of somebody else", login: undefined, refresh: "RF-02, RP-32", isForeign: true, behaviour: claims({ sub: "mallory" }) },
  { name: "without an issue time", login: "ID-09, RP-05", refresh: "ID-09", behaviour: claims({ iat: undefined }) },
  { name: "issued in ten minutes", login: "ID-09, RP-91", refresh: "ID-09", behaviour: () => ({ idToken: { claims: { iat: now() + 600 } } }) },
  { name: "issued before the login", login: undefined, refresh: "RF-03", behaviour: () => ({ idToken: { claims: { iat: now() - 3600 } } }) },
  { name: "without an end", login: "ID-08, RP-58", refresh: "ID-08", behaviour: claims({ exp: undefined }) },
  { name: "with an end that is no number", login: "ID-08", refresh: "ID-08", behaviour: claims({ exp: "2099-01-01" }) },
  { name: "that expired six minutes ago", login: "ID-08, RP-56", refresh: "ID-08", behaviour: () => ({ idToken: { claims: { iat: now() - 3600, exp: now() - 360 } } }) },
  { name: "that expired a moment ago, which the library lets pass", login: "ID-08", refresh: "ID-08", behaviour: () => ({ idToken: { claims: { exp: now() - 5 } } }) },
  {
    name: "of an hour of which five seconds are left",
    login: "ID-08",
    refresh: undefined,
    behaviour: () => ({ idToken: { claims: { iat: now() - 3595, exp: now() + 5 } } }),
  },
  { name: "that begins in five minutes", login: "ID-10", refresh: "ID-10", behaviour: () => ({ idToken: { claims: { nbf: now() + 300 } } }) },
  { name: "with another nonce", login: "ID-11, RP-12, RP-61", refresh: "RF-04", behaviour: claims({ nonce: "another-nonce" }) },
  { name: "without a nonce", login: "ID-11, RP-60", refresh: undefined, behaviour: claims({ nonce: undefined }) },
  {
    name: "with a critical extension that nobody knows",
    login: "ID-14",
    refresh: "ID-14",
    behaviour: forged({ header: { crit: [unknownExtension], [unknownExtension]: true } }),
  },
  { name: "without a signature", login: "ID-07, RP-09, RP-55", refresh: "ID-07", behaviour: forged({ alg: "none" }) },
  { name: "without a signature, in other letters", login: "ID-07", refresh: "ID-07", behaviour: forged({ alg: "none", header: { alg: "NonE" } }) },
  { name: "signed with the client's ID", login: "ID-07, RP-42", refresh: "ID-07", behaviour: forged({ alg: "HS256" }) },
  { name: "of an algorithm that the issuer does not list", login: "ID-07, RP-54", refresh: "ID-07", behaviour: forged({ alg: "PS256" }) },
  { name: "of one algorithm under the name of another", login: "ID-07", refresh: "ID-07", behaviour: forged({ header: { alg: "RS256" } }) },
  { name: "signed by a stranger, RS256", login: "ID-06, RP-10", refresh: "ID-06", behaviour: forged({ alg: "RS256", key: "stranger" }) },
  { name: "signed by a stranger, ES256", login: "ID-06, RP-41", refresh: "ID-06", behaviour: forged({ key: "stranger" }) },
  { name: "of a key that the issuer does not have", login: "ID-06", refresh: "ID-06", behaviour: forged({ header: { kid: "nobody's" } }) },
  { name: "changed after it was signed", login: "ID-06", refresh: "ID-06", behaviour: forged({ bent: tampered }) },
  { name: "with a signature that is no base64url", login: "ID-06", refresh: "ID-06", behaviour: forged({ bent: (token) => `${token}*` }) },
  { name: "with a header that is no JSON", login: "ID-06", refresh: "ID-06", behaviour: forged({ bent: (token) => token.replace(/^[^.]*/, "bm8") }) },
  { name: "that is no JWT", login: "ID-06", refresh: "ID-06", behaviour: forged({ bent: () => "bm8" }) },
  { name: "that is encrypted", login: "ID-06", refresh: "ID-06", behaviour: forged({ bent: (token) => `${token}.eA.eA` }) },
  {
    name: "that names no key, where the issuer has two",
    login: "RP-07",
    refresh: "ID-06",
    behaviour: () => ({ idToken: withoutName, jwks: twice }),
  },
];

/** Every key again under another name. */
const twice: Override = async (_request, _nth, proper) => {
  const answer = await proper();
  const { keys } = answer.json as { keys: readonly Readonly<Record<string, unknown>>[] };
  return { json: { keys: keys.flatMap((key) => [key, { ...key, kid: `${String(key["kid"])}-again` }]) } };
};
