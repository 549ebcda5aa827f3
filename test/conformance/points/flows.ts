import { points } from "../point.ts";

const kubelogin =
  "the default redirect URL is http://localhost:8000 (then 18000), so that a client registered for kubelogin works unchanged; --oidc-redirect-url and --listen-address choose";

/** RFC 8252. */
export const nativeApps = points(
  ["N-01", "us", "the system's browser, never a view of our own"],
  ["N-02", "us", "the loopback address by number", kubelogin],
  ["N-03", "us", "a free port by default", kubelogin],
  ["N-04", "us", "the listener is open for one login only, and closed at once"],
  ["N-05", "us", "it listens on loopback only"],
  ["N-06", "both", "PKCE"],
  ["N-07", "both", "state"],
  ["N-08", "us", "a redirect path for each issuer", "a registered redirect URL cannot change by issuer; `iss` (RFC 9207) and one listener for one login take its place"],
  ["N-09", "us", "a secret that is shipped is no secret: public clients need none"],
  ["N-10", "us", "IPv4 and IPv6"],
);

/** RFC 8628. */
export const device = points(
  ["DV-01", "us", "the address and the code are shown, made safe"],
  ["DV-02", "us", "the code is shown beside a complete address too"],
  ["DV-03", "us", "five seconds between polls by default"],
  ["DV-04", "us", "`authorization_pending` waits"],
  ["DV-05", "us", "`slow_down` adds five seconds for good"],
  ["DV-06", "us", "`access_denied` and `expired_token` have names of their own"],
  ["DV-07", "us", "the code's end ends the wait, whatever else does"],
  ["DV-08", "us", "absurd intervals and lifetimes are brought to sane ones"],
  ["DV-09", "us", "an interval that is 0, negative or a text does no harm"],
  ["DV-10", "us", "a network fault or 5xx during a poll does not end the flow"],
  ["DV-11", "us", "503 with Retry-After is respected"],
  ["DV-12", "us", "an expired code does not start another login by itself"],
  ["DV-13", "us", "who asks is said first: issuer, client, server"],
  ["DV-14", "us", "only an https address is shown and opened"],
  ["DV-15", "us", "control characters in the code do nothing"],
  ["DV-16", "us", "the device code is never shown"],
  ["DV-17", "library", "DPoP on the poll"],
);

/** RFC 7009 and RP-initiated logout. */
export const ending = points(
  ["V-01", "us", "the refresh token is revoked, with its hint"],
  ["V-02", "library", "an unknown token counts as revoked"],
  ["V-03", "us", "a fault of the issuer is said, and the session is deleted all the same"],
  ["V-04", "us", "`unsupported_token_type` is a warning"],
  ["V-05", "us", "an issuer without revocation is said"],
  ["V-06", "us", "deleted under the refresh lock, and without a network"],
  ["L-01", "us", "the logout page gets the client ID"],
  ["L-02", "us", "no token in its URL: client_id and logout_hint"],
  ["L-03", "us", "what the page answers does not matter: any state, none, or nothing"],
  ["L-04", "us", "`logout` revokes and deletes; `--sso` ends the browser's session too"],
);

/** Rotation: what is lost at which moment (docs/explanation/reliability.md). */
export const rotation = points(
  ["RT-01", "us", "sent and no answer: the same token once more, at once"],
  ["RT-02", "us", "the new token is durable before anything judges the answer"],
  ["RT-03", "us", "killed between judging, storing and printing: nothing is lost"],
  ["RT-04", "us", "another identity drops and revokes; a passing fault keeps, and judges again"],
  ["RT-05", "us", "signals wait for the end of the exchange, bounded"],
  ["RT-06", "us", "one refresh among any number of processes"],
  ["RT-07", "us", "no refresh while the token is good"],
  ["RT-08", "us", "no new refresh token: the old one stays"],
  ["RT-09", "us", "an issuer that does not rotate takes the same path"],
  ["RT-10", "us", "killed at every point, an issuer that rotates: one window at most"],
  ["RT-11", "us", "only the issuer's refusal means log in again"],
);

/** The loopback listener. */
export const loopback = points(
  ["LB-01", "us", "the exact Host, no CORS headers"],
  ["LB-02", "us", "method, path, Host and state before anything, `error` included; a mismatch is answered, and the wait goes on"],
  ["LB-03", "us", "the account is shown after the login, and never changed in silence"],
  ["LB-04", "us", "a taken port is never shared or raced for"],
  ["LB-05", "us", "`localhost` is both families on one port"],
  ["LB-06", "us", "never all interfaces"],
  ["LB-07", "us", "favicon, prefetch, HEAD, doubles and idle connections do nothing"],
  ["LB-08", "us", "slow and many connections are bounded"],
  ["LB-09", "us", "form_post only when it was asked for"],
  ["LB-10", "us", "a redirect at the top level: no page has to reach into the local network"],
  ["LB-11", "us", "no reflected text; CSP, nosniff, no-referrer, no-store"],
  ["LB-12", "us", "code and state go no further than the address bar"],
  ["LB-13", "us", "an address that no HSTS entry reaches", kubelogin],
  ["LB-14", "us", "its own deadline, the parent's death, signals"],
  ["LB-15", "us", "a crashed run leaves nothing that is in the way"],
  ["LB-16", "us", "the page says logged in when the tokens are stored"],
  ["LB-17", "us", "the redirect URI is our own, never the request's Host"],
  ["LB-18", "us", "where no browser can be reached: device code or paste, never a wider listener"],
);
