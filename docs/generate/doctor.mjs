import { cell, page, table } from "./markdown.mjs";

/** What each check looks at. The titles are the program's own (`src/core/checks/outcome.ts`). */
const looksAt = {
  "D-01": "apiVersion, interactiveMode, provideClusterInfo; the command is found, and is this program; no client certificate, token or other login beside it; the server is https",
  "D-02": "kubectl 1.35 and newer: `credentialPluginPolicy` and the allowlist of `~/.kube/kuberc` or `$KUBERC`",
  "D-03": "variables that switch certificate checks off, change what Node runs or trusts, or move the store; in the environment and in the stanza's `env`",
  "D-04": "the issuer answers, under exactly the name that is configured, with https endpoints",
  "D-05": "PKCE S256, device login, revocation, browser logout, offline_access, `iss` in answers",
  "D-06": "public client or secret, against what the issuer lists",
  "D-07": "one that API servers accept (no EdDSA); a word when it is not RS256",
  "D-08": "`aud` holds the client ID; 2 minutes to 24 hours",
  "D-09": "groups as a list of texts, not too many (overage); `email_verified`",
  "D-10": "by which the API server's audit log can tell tokens apart",
  "D-11": "7 KiB at most: proxies take 8 KiB of one header",
  "D-12": "the key set can be had, and the token's key is in it",
  "D-13": "ours against the Date headers of the issuer and of the API server; more than 10 s is a warning, a minute a failure",
  "D-14": "whom it sees behind our token (SelfSubjectReview); on 401 the likely causes in their order",
  "D-15": "one refresh works; there is a refresh token",
  "D-16": "a throw-away item is written, read and removed; damaged files beside it",
  "D-17": "the proxies that issuer and API server are reached through",
  "D-18": "each `--listen-address` can be bound",
  "D-19": "one can be reached from here, or the issuer offers device login",
  "D-20": "kubectl hands it over in one variable, which Linux limits to 128 KiB",
  "D-21": "other copies on the PATH; a Node that still gets fixes",
  "D-22": "found, and its version",
};

export function doctorPage({ checkTitles }) {
  const ids = Object.keys(checkTitles);
  const missing = [...ids.filter((id) => looksAt[id] === undefined), ...Object.keys(looksAt).filter((id) => checkTitles[id] === undefined)];
  if (missing.length > 0) throw new Error(`docs/generate/doctor.mjs and core/checks/outcome.ts do not agree about ${missing.join(", ")}`);
  return page(
    "The checks of `kubectl oidc doctor`",
    "`src/core/checks/outcome.ts` and `docs/generate/doctor.mjs`",
    'Every check runs, as many at once as can be, each with a deadline; what cannot be looked at is `skipped`. The exit status is 0, or that of the first check that failed ([exit statuses](exit-statuses.md)). `-o json` prints `{"checks":[{"id","title","status","detail","cure"}]}` with `status` one of `ok`, `warn`, `fail`, `skipped` ([json.md](json.md#doctor--o-json)); there is no secret in it.',
    "The session is chosen as in `login`: `--context`, options, or the current context. `doctor` makes one refresh (D-15), as the next kubectl would, and asks the context's API server whom it sees (D-14), if the session may be used with that server. It opens no browser.",
    table(
      ["check", "title", "what is looked at"],
      ids.map((id) => [id, cell(checkTitles[id]), looksAt[id]]),
    ),
  );
}
