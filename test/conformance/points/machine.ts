import { points } from "../point.ts";

const notHere = "macOS and Windows are not run here";

/** Files and keychain. */
export const storage = points(
  ["ST-01", "us", "0700 and 0600 at the moment of making, whatever the umask"],
  ["ST-02", "us", "no links, our owner, one name, nobody else's to read; folders that others cannot write"],
  ["ST-03", "us", "whole or not at all: temporary file, fsync, rename, fsync of the folder"],
  ["ST-04", "us", "locks are files of their own, never removed while in use"],
  ["ST-05", "us", "a lock whose holder is gone is free"],
  ["ST-06", "us", "the store is read again under the lock"],
  ["ST-07", "us", "the wait for a lock ends, and never in a refresh without it"],
  ["ST-08", "us", "no refresh lock while a person thinks"],
  ["ST-09", "us", "network file systems: kernel locks where they carry, a lease beside them"],
  ["ST-10", "us", "Windows: the person's own application data", notHere],
  ["ST-11", "us", "HOME and XDG variables of a kubeconfig decide nothing that matters"],
  ["ST-12", "us", "a damaged file is moved aside, never shown, and the next login heals it"],
  ["ST-13", "us", "a newer schema is refused, not overwritten"],
  ["ST-14", "us", "root does not write into another user's home"],
  [
    "ST-20",
    "us",
    "macOS: only our own program may read the item",
    "a keychain item of a Node program can be read by every Node program; a standalone executable that is signed with a certificate of its own would close this; ours are signed ad hoc",
  ],
  ["ST-21", "us", "items larger than the platform takes"],
  ["ST-22", "us", "no keychain: said, never a silent file"],
  ["ST-23", "us", "a keychain that asks or hangs is bounded in time"],
);

/** Terminal and browser. */
export const terminal = points(
  ["TE-01", "us", "every foreign text goes through one sanitiser"],
  ["TE-02", "us", "addresses are shown in ASCII, with no user name in them"],
  ["TE-03", "us", "only https (and our own loopback) is opened, as one argument, without a shell"],
  ["TE-04", "us", "Windows: no `cmd /c start`"],
  ["TE-05", "us", "launchers are found at trusted places; commands come from the person, not from a stanza"],
  ["TE-06", "us", "no terminal links with foreign text"],
  ["TE-07", "us", "QR codes of sanitised addresses only"],
);

export const secrets = points(
  ["SE-01", "us", "a secret on the command line is warned about; files and variables take its place"],
  ["SE-02", "us", "no token, code, verifier or cookie in a log"],
  ["SE-03", "us", "error objects are never printed: their causes hold token answers"],
  ["SE-04", "us", "what nobody caught prints a code and safe text"],
  [
    "SE-05",
    "us",
    "the runtime's own doors (NODE_OPTIONS, inspector, reports)",
    "cannot be closed in a Node install: docs/explanation/environment.md says what is refused, what is taken from children, and what each form's own runtime reads",
  ],
  ["SE-06", "us", "core dumps", "Node cannot set the limit; `ulimit -c 0` is the machine's to say"],
  ["SE-07", "us", "a token goes to stdout of `get-token` and `token`, nowhere else"],
  ["SE-08", "us", "no telemetry: nobody is contacted but the issuer"],
);

/** A poisoned kubeconfig. */
export const kubeconfig = points(
  [
    "MK-01",
    "us",
    "trust is the person's: in the secret store and in the own configuration file; issuers and clients can be pinned",
    "pinning holds only when hardened (`strict` with `allow:`): SECURITY.md",
  ],
  ["MK-02", "us", "a session is used only with the servers of its list: address, TLS name, certificate authority, proxy"],
  ["MK-03", "us", "one audience for each cluster: `--oidc-audience`"],
  ["MK-04", "us", "what weakens security is not taken from a stanza", "by default it is, as with kubelogin; `strict` refuses it: SECURITY.md"],
  ["MK-05", "us", "arguments are judged: https issuer, no user info, query or fragment, unknown flags are errors"],
  ["MK-06", "us", "`cluster.config` has a strict schema"],
  ["MK-07", "us", "a login that kubectl starts names issuer, client and server first"],
  ["MK-08", "us", "the kuberc entry has the absolute path"],
);

export const network = points(
  ["NW-01", "both", "https only; http for an issuer on this computer"],
  ["NW-02", "both", "no redirect is followed"],
  ["NW-03", "us", "answers of 1 MiB at most, key sets of bounded length"],
  ["NW-04", "us", "a deadline for every request and every flow"],
  ["NW-05", "us", "endpoints on other hosts are legal, and get no headers that are meant for the issuer"],
  ["NW-06", "us", "proxies by Go's rules, NO_PROXY included"],
  ["NW-07", "us", "certificate authorities are added to the system's"],
  ["NW-08", "us", "a captive portal is said"],
  ["NW-09", "us", "cached metadata is checked as if it were new, and lives for hours"],
  ["NW-10", "library", "both address families are tried"],
);
