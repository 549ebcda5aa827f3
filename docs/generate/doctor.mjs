import { cell, page, table } from "./markdown.mjs";

/** What each check looks at. The titles are the program's own (`src/core/checks/outcome.ts`). */
const looksAt = {
  "D-01":
    "apiVersion, interactiveMode, provideClusterInfo; the command is found, and is this program, not kubelogin, and not kubectl, which would start twice; no client certificate, token or other login beside it; the server is https",
  "D-02": "kubectl 1.35 and newer: `credentialPluginPolicy` and the allowlist of `~/.kube/kuberc` or `$KUBERC`, with the rules by which kubectl refuses the file itself",
  "D-03":
    "variables that switch certificate checks off, run code, add roots, lead through a proxy, run commands, or move the store; in the environment and in the stanza's `env` ([environment.md](../explanation/environment.md))",
  "D-04": "the issuer answers, under exactly the name that is configured, over TLS that is trusted, with https endpoints; on which other hosts they are",
  "D-05": "PKCE S256, device login, revocation, browser logout, offline_access, `iss` in answers, pushed requests, DPoP",
  "D-06": "public client or secret, against what the issuer lists",
  "D-07": "a JWT, signed with one that API servers accept (no EdDSA); a word when it is not RS256",
  "D-08": "`aud` holds the client ID, or the `--oidc-audience` that was asked for; `azp`; 2 minutes to 24 hours",
  "D-09": "groups as a list of texts, not too many (overage); `email_verified`",
  "D-10": "by which the API server's audit log can tell tokens apart",
  "D-11": "7 KiB at most: proxies take 8 KiB of one header",
  "D-12": "the key set can be had, the token's key is in it, and the token's signature holds",
  "D-13": "ours against the Date headers of the issuer and of the API server, and against a token that is issued in the future; more than 10 s is a warning, a minute a failure",
  "D-14": "whom it sees behind our token (SelfSubjectReview), whether it was this very token, and with how many of its groups; on 401 the likely causes in their order",
  "D-15": "one refresh works; there is a refresh token, or why there is none",
  "D-16":
    "a throw-away item is written, read and removed; the refresh token is there, and its item's size; owner and mode of folders and files; the refresh lock; damaged files and an answer in the journal",
  "D-17": "the proxies that issuer and API server are reached through; the roots that are trusted, and where each comes from",
  "D-18": "each `--listen-address` can be bound, in both families for a `localhost` redirect URL",
  "D-19": "one can be reached from here, or the issuer offers device login",
  "D-20": "kubectl hands it over in one variable, which Linux limits to 128 KiB",
  "D-21":
    "other copies on the PATH; programs such as `kubectl-oidc-login` that kubectl would start in our place; kubelogin that is left over; completion; a Node that still gets fixes",
  "D-22": "found, and its version: `client.authentication.k8s.io/v1` needs 1.22",
  "D-23":
    "every option that is not left to its default, and its place; variables that override the stanza or that nobody reads (with the one that is meant), values of a profile that a stronger place hides, configuration files that cannot be used",
};

/** What brings people here, and the check that finds it; each is provoked in `test/e2e/doctor.test.ts`, a locked keychain in `test/desktop`. */
const causes = [
  ["the clock is off by 5 minutes", "D-13, named again by D-14 and D-15"],
  ["the issuer is configured with a slash too much", "D-04, with the name that the issuer gives itself"],
  ["wrong audience", "D-08 when the token lacks the one that was asked for; D-14 names the token's"],
  ["`email_verified` is false", "D-09, and D-14 when the server refuses for it"],
  ["groups are missing, or overflow", "D-09; D-14 when the server reads another claim"],
  ["the token is signed with EdDSA", "D-07"],
  ["the issuer has replaced its keys, and the API server has noticed", "D-12, named again by D-14"],
  ["the API server trusts another issuer", "D-14"],
  ["the refresh is refused", "D-15"],
  ["the binary is shadowed or missing", "D-01, D-21"],
  ["kuberc denies us", "D-02"],
  ["port 8000 is taken", "D-18"],
  ["no browser", "D-19"],
  ["the keychain is locked or absent", "D-16"],
  ["a proxy is in the way", "D-17"],
  ["a private certificate authority is missing", "D-04 for the issuer, D-14 for the API server"],
  ["a client certificate competes", "D-01"],
];

export function doctorPage({ checkTitles }) {
  const ids = Object.keys(checkTitles);
  const missing = [...ids.filter((id) => looksAt[id] === undefined), ...Object.keys(looksAt).filter((id) => checkTitles[id] === undefined)];
  if (missing.length > 0) throw new Error(`docs/generate/doctor.mjs and core/checks/outcome.ts do not agree about ${missing.join(", ")}`);
  return page(
    "The checks of `kubectl oidc doctor`",
    "`src/core/checks/outcome.ts` and `docs/generate/doctor.mjs`",
    'Every check runs, as many at once as can be, each with a deadline; what cannot be looked at is `skipped`. The exit status is 0, or that of the first check that failed ([exit statuses](exit-statuses.md)). `-o json` prints `{"checks":[{"id","title","status","detail","cure"}]}` with `status` one of `ok`, `warn`, `fail`, `skipped` ([json.md](json.md#doctor--o-json)); there is no secret in it, so that it can be pasted into a bug report. A cure that begins with `run:` is a command for pasting; its words are quoted for every shell.',
    "When something failed, the table ends with **most likely:** and one check. Causes come before what follows from them: with a clock that is wrong, a token that the API server refuses is no second fault.",
    "The session is chosen as in `login`: `--context`, options, or the current context. `doctor` makes one refresh (D-15), as the next kubectl would, and asks the context's API server whom it sees (D-14), if the session may be used with that server. It opens no browser.",
    "An API server that refuses the token looks like this:",
    "![doctor on a terminal, with one check that failed](../pictures/doctor.svg)",
    table(
      ["check", "title", "what is looked at"],
      ids.map((id) => [id, cell(checkTitles[id]), looksAt[id]]),
    ),
    "## What each cause looks like",
    table(["cause", "found by"], causes),
  );
}
