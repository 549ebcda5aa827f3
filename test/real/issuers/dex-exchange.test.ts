import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { blockOf } from "../../docs/fenced-blocks.ts";
import { credentialOf, type Ended, errorCode } from "../../e2e/program.ts";
import { describeWith } from "../with-parts.ts";
import { type Caller, claimsOf, newCaller } from "./caller.ts";
import { type ExchangeServer, startDexExchange } from "./dex-exchange-server.ts";
import { onceStarted } from "./once-started.ts";
import { realCluster, smallCluster } from "./page-proof.ts";
import { runPage } from "./page.ts";
import { rotate } from "./rotate.ts";
import { until } from "./until.ts";

const idToken = "--subject-token-type=id_token";
const by = (connector: string) => `--oidc-auth-request-extra-params=connector_id=${connector}`;
const run = onceStarted(startDexExchange);
let server: ExchangeServer;
let job: Caller;
beforeEach(() => {
  job = newCaller(server, "--oidc-extra-scope=email,groups", "--grant-type=token-exchange");
});
afterEach(() => job.remove());

/** In a file of the job's: gives the option that names it. */
function subject(token: string): string {
  writeFileSync(join(job.home.folder, "subject"), token, { mode: 0o600 });
  job.home.holdsSecrets("subject");
  return `--subject-token-file=${join(job.home.folder, "subject")}`;
}

/** Alice logs in at the company's Dex with this program. */
async function tokenOfAlice(...more: readonly string[]): Promise<string> {
  const alice = newCaller(server.company, "--oidc-extra-scope=email,groups,profile", ...more);
  try {
    await alice.logIn();
    return (await alice.run("token")).stdout.trim();
  } finally {
    alice.remove();
  }
}

const forget = () => rmSync(job.home.data, { recursive: true });

/** Tokens, and records of sessions, in the job's store. */
const kept = () => ["credentials", "sessions", "refresh"].flatMap(filesIn);
const filesIn = (place: string) => (existsSync(join(job.home.data, place)) ? readdirSync(join(job.home.data, place)) : []);

/** What `doctor` finds wrong with the job. */
async function failedChecks(...options: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await job.run("doctor", "-o", "json", ...options);
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly { readonly id: string; readonly status: string; readonly detail: string }[] };
  return checks.filter(({ status }) => status === "fail").map(({ id, detail }) => `${id} ${detail}`);
}

const claims = (ended: Ended) => claimsOf(credentialOf(ended).status.token);

function expectRefused(ended: Ended, code: string, words: RegExp): void {
  expect([ended.stdout, errorCode(ended)], ended.stderr).toEqual(["", code]);
  expect(ended.stderr).toMatch(words);
  expect(ended.stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(3);
  expect(kept()).toEqual([]);
}

describeWith(["dex", "kubectl"], (parts) => {
  beforeAll(async () => {
    server = await run(parts.dex.path);
  });

  provesThePipeline(parts.kubectl, () => smallCluster(server, "dex"));

  it("a token of another issuer is exchanged for one with its person, address and groups, and anew when it is used up: there is no refresh token", async () => {
    const options = [subject(await tokenOfAlice()), idToken, by("company")];
    const first = await job.run("get-token", ...options);
    expect(claims(first)).toMatchObject({ iss: server.issuer, aud: "kubernetes", email: "alice@example.com", email_verified: true, groups: ["developers", "admins"] });
    expect(await failedChecks(...options)).toEqual([]);
    expect((await job.run("get-token", ...options, "-v4")).stderr).not.toMatch(/(GET|POST) http/);
    job.ageToken();
    const second = await job.run("get-token", ...options);
    expect(claims(second)).toMatchObject({ email: "alice@example.com" });
    expect(credentialOf(second).status.token).not.toBe(credentialOf(first).status.token);
    expect(filesIn("refresh")).toEqual([]);
  });

  it("an ID token can be asked for as well as an access token: both are for the cluster", async () => {
    const options = [subject(await tokenOfAlice()), idToken, by("company"), "--requested-token-type=id_token"];
    expect(claims(await job.run("get-token", ...options))).toMatchObject({ aud: "kubernetes", email: "alice@example.com", groups: ["developers", "admins"] });
  });

  it("an access token is exchanged by a connector that asks its issuer about it", async () => {
    const options = [subject(await tokenOfAlice("--oidc-use-access-token")), "--subject-token-type=access_token"];
    expect(claims(await job.run("get-token", ...options, by("company-access")))).toMatchObject({ email: "alice@example.com", groups: ["developers", "admins"] });
  });

  it("a client of its own gets a token for the cluster's audience by Dex' scope, which --oidc-audience makes sure of", async () => {
    const deploy = [subject(await tokenOfAlice()), idToken, by("company"), "--oidc-client-id=deploy", "--oidc-audience=kubernetes"];
    const exchanged = await job.run("get-token", ...deploy, "--oidc-extra-scope=email,groups,audience:server:client_id:kubernetes");
    expect(claims(exchanged)).toMatchObject({ aud: ["kubernetes", "deploy"], azp: "deploy", groups: ["developers", "admins"] });
    forget();
    expectRefused(await job.run("get-token", ...deploy), "ID_TOKEN_INVALID", /not for the audience that was asked for/);
    const stranger = await job.run("get-token", ...deploy, "--oidc-extra-scope=audience:server:client_id:elsewhere");
    expectRefused(stranger, "ISSUER_UNREACHABLE", /trustedPeers/);
  });

  it("Dex does not ask for whom a token is: who wants that looked at says it here", async () => {
    const token = await server.github.platform.token({ aud: "somebody-else" });
    const options = [subject(token), idToken, by("github")];
    expect(claims(await job.run("get-token", ...options))).toMatchObject({ email: "repo:acme/web:ref:refs/heads/main" });
    forget();
    expectRefused(await job.run("get-token", ...options, `--subject-token-audience=${server.issuer}`), "SUBJECT_TOKEN_INVALID", /is for the audience somebody-else/);
  });

  it("what cannot be exchanged is told with its cure, and nothing of it is kept", async () => {
    const token = await tokenOfAlice();
    const [header, , signature] = token.split(".");
    const forged = [header, Buffer.from(JSON.stringify({ ...claimsOf(token), email: "root@example.com" })).toString("base64url"), signature].join(".");
    const { platform } = server.github;
    const unaccepted = /does not accept the subject token \[SUBJECT_TOKEN_INVALID\]\n.*cause: access_denied/;
    expectRefused(await job.run("get-token", subject(forged), idToken, by("company")), "SUBJECT_TOKEN_INVALID", unaccepted);
    expectRefused(await job.run("get-token", subject(token), idToken, by("github")), "SUBJECT_TOKEN_INVALID", unaccepted);
    const stranger = await platform.token({ repository_owner_id: "7654321" });
    expectRefused(await job.run("get-token", subject(stranger), idToken, by("github")), "SUBJECT_TOKEN_INVALID", unaccepted);
    const late = await platform.token({ exp: Math.floor(Date.now() / 1000) - 60 });
    expectRefused(await job.run("get-token", subject(late), idToken, by("github")), "SUBJECT_TOKEN_INVALID", /expired/);
    expectRefused(await job.run("get-token", subject("no-token-at-all"), idToken, by("company")), "SUBJECT_TOKEN_INVALID", /is not a JWT/);
    expectRefused(await job.run("get-token", subject("no-token-at-all"), "--subject-token-type=access_token", by("company-access")), "SUBJECT_TOKEN_INVALID", unaccepted);
    for (const connector of [[by("nobody")], [], [by("away")]])
      expectRefused(await job.run("get-token", subject(token), idToken, ...connector), "SUBJECT_TOKEN_INVALID", /hint: name .*connector_id=/);
    expectRefused(await job.run("get-token", subject(token), by("company")), "SUBJECT_TOKEN_INVALID", /hint: say .*--subject-token-type=id_token/);
    expectRefused(await job.run("get-token", subject(token), idToken, by("company"), "--oidc-client-id=nobody"), "CLIENT_REJECTED", /invalid_client/);
  });

  it("a Dex whose grants lack the exchange says so", async () => {
    const closed = newCaller({ ...server, issuer: server.closed.issuer }, "--grant-type=token-exchange");
    try {
      const ended = await closed.run("get-token", subject(await tokenOfAlice()), idToken, by("company"));
      expectRefused(ended, "GRANT_UNSUPPORTED", /unsupported_grant_type/);
    } finally {
      closed.remove();
    }
  });

  it("a person logs in through a connector to the company's issuer, and each refresh asks that one; when it has ended the session, the cure is a login", async () => {
    const person = newCaller(server, "--oidc-extra-scope=email,groups,profile", by("company"));
    try {
      expect(claims(await person.logIn())).toMatchObject({ iss: server.issuer, email: "alice@example.com", groups: ["developers", "admins"] });
      for (const _ of [1, 2]) await rotate(person);
      expect(claims(await person.refresh())).toMatchObject({ email: "alice@example.com", groups: ["developers", "admins"] });
      await server.company.restart();
      let refused: Ended | undefined;
      await until(20, async () => {
        person.ageToken();
        refused = await person.refresh();
        return refused.status !== 0;
      });
      expect(refused).toMatchObject({
        status: 30,
        stdout: "",
        stderr: expect.stringMatching(/\[ISSUER_UNREACHABLE\]\n.*cause: HTTP 500\n.*hint: try again; .*kubectl oidc login/),
      });
      expect((await person.logInAnew()).status).toBe(0);
      credentialOf(await person.refresh());
    } finally {
      person.remove();
    }
  });

  it("a person who names the connector is not asked for it, and gets the audience of another cluster by Dex' scope alone", async () => {
    const options = ["--oidc-client-id=deploy", by("local")];
    const person = newCaller(server, "--oidc-audience=kubernetes", ...options);
    const scoped = newCaller(server, "--oidc-audience=kubernetes", "--oidc-extra-scope=email,audience:server:client_id:kubernetes", ...options);
    try {
      const without = await person.logIn();
      expect([without.status, errorCode(without)], without.stderr).toEqual([30, "CLIENT_REJECTED"]);
      expect(without.stderr).toContain("hint: ask for the audience by a scope, as Dex wants it: --oidc-extra-scope=audience:server:client_id:kubernetes");
      expect(claimsOf(credentialOf(await scoped.logIn()).status.token)).toMatchObject({ aud: ["kubernetes", "deploy"], email: "alice@example.com" });
      credentialOf(await scoped.refresh());
    } finally {
      person.remove();
      scoped.remove();
    }
  });
});

describeWith(["dex", "kube-apiserver", "etcd", "kubectl-newest"], (parts) => {
  beforeAll(async () => {
    server = await run(parts.dex.path);
  });
  provesThePipeline(parts["kubectl-newest"], () => realCluster(parts, server, "dex"));
});

function provesThePipeline(kubectl: { readonly path: string }, cluster: () => Promise<{ readonly server: string; stop(): Promise<void> }>): void {
  it("the page's connector and user: kubectl of a job is oidc:repo:acme/web:ref:refs/heads/main to the API server, in oidc:github:1234567", async () => {
    const api = await cluster();
    try {
      const run = (text: string) => runPage(job, server, text, dirname(kubectl.path), { ...server.github.runner.env, CI: "true" });
      const authority = join(job.home.folder, "issuer-ca.pem");
      const context = `kubectl config set-cluster prod --server=${api.server} --certificate-authority=${authority}
kubectl config set-context prod --cluster=prod --user=pipeline
kubectl config use-context prod`;
      const written = await run(`${blockOf("dex.md", "dex-pipeline-user")}${context}`);
      expect(written.status, written.stderr).toBe(0);
      const seen = await run("kubectl auth whoami -o json");
      expect(seen.status, seen.stderr).toBe(0);
      const { userInfo } = (JSON.parse(seen.stdout) as { readonly status: { readonly userInfo: { readonly username: string; readonly groups: readonly string[] } } }).status;
      expect([userInfo.username, [...userInfo.groups].sort()]).toEqual(["oidc:repo:acme/web:ref:refs/heads/main", ["oidc:github:1234567", "system:authenticated"]]);
    } finally {
      await api.stop();
    }
  });
}
