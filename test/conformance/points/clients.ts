import { points } from "../point.ts";

/** RFC 7523, section 2.2; RFC 8705; the client credentials grant. */
export const clients = points(
  ["K-01", "both", "the assertion: `iss` and `sub` are the client, `aud` is the issuer and nothing else, a minute of life, a `jti` of its own"],
  ["K-02", "us", "the key's file, PEM or JWK, is judged: kind, size, mode; what is wrong is said without its content"],
  ["K-03", "us", "an issuer's clock may be half a minute slow"],
  ["K-06", "both", "mutual TLS: the certificate is shown to the issuer and its endpoints, and the aliases are used"],
  ["K-08", "us", "client credentials give no ID token: the access token is handed out"],
  ["K-09", "us", "the algorithm is one that the issuer lists and the key can"],
);

/** RFC 9126 and RFC 9101. */
export const pushedRequests = points(
  ["R-01", "us", "pushed when the issuer demands it, or when it is asked for"],
  ["R-02", "library", "the browser carries the client ID and a reference only"],
  ["R-03", "us", "the reference's end is said before and after", "the login is not begun again by itself: nobody would look at its new URL"],
  ["R-04", "us", "errors of the endpoint have their own names, before a browser opens"],
  ["R-05", "us", "answers that are almost right are taken"],
  ["R-06", "both", "signed with the client's key when the issuer demands it, pushed or not"],
);
