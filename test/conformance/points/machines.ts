import { points } from "../point.ts";

/** RFC 8693, token exchange; RFC 7523, what a JWT of another issuer stands for. */
export const machines = points(
  ["X-01", "both", "the request has the members of RFC 8693, section 2.1, and no other; the token type `N_A` is taken"],
  ["X-02", "us", "`issued_token_type` is there and the one that was asked for"],
  ["X-03", "us", "the exchanged token is verified: signature, algorithm, issuer, audience, times"],
  ["X-04", "us", "a refresh token is never the subject token, and one that comes with an exchanged token is not kept"],
  ["X-05", "us", "exchanged tokens are cached apart by audience, and by the identity that they stand for"],
  ["K-04", "us", "a token of the platform that stands for the client's secret is read afresh at each request"],
  ["K-05", "us", "the grant `jwt-bearer` sends the platform's token as its assertion, and its answer is verified as an exchanged token"],
);
