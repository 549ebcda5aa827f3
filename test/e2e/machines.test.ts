import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sessionKey } from "../../src/core/keys.ts";
import type { SessionRecord } from "../../src/core/session.ts";
import type { SecretKind } from "../canaries.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import { bearerGrant, exchangeGrant } from "../issuer/machine-answers.ts";
import { type Behaviour, type Misbehaving, startMisbehaving } from "../issuer/misbehaving.ts";
import { changeJson, tokenFaults } from "../issuer/misbehaviours.ts";
import { makeCertificates } from "../issuer/certificates.ts";
import { type RunningProvider, startProvider } from "../issuer/provider.ts";
import { type GithubStandIn, makePlatform, type Platform, startGithub } from "../issuer/platform-tokens.ts";
import { credentialOf, type Ended, errorCode, execInfo, type Home, newHome, programCommand } from "./program.ts";

let home: Home;
let issuer: Misbehaving;
let platform: Platform;
let github: GithubStandIn;
beforeEach(async () => {
  home = newHome();
  home.holdsSecrets("subject");
  mkdirSync(join(home.folder, "subject"));
  issuer = await startMisbehaving();
  platform = await makePlatform();
  github = await startGithub(platform);
});
afterEach(async () => {
  await issuer.stop();
  await github.stop();
  home.remove();
});

/** As a runner has it: CI, no keychain, nothing on stdin. */
const ci = { CI: "true" };
const args = (...more: readonly string[]) => [`--oidc-issuer-url=${issuer.issuer}`, "--oidc-client-id=kubernetes", ...more];
const session = (...more: readonly string[]) => ["get-token", ...args(...more)];
const file = () => join(home.folder, "subject", "token");
async function writeToken(claims: Readonly<Record<string, unknown>> = {}, kind: SecretKind = "assertion"): Promise<string> {
  const token = await platform.token({ aud: issuer.issuer, ...claims }, kind);
  writeFileSync(file(), `${token}\n`, { mode: 0o600 });
  return token;
}
const exchange = (...more: readonly string[]) => session("--grant-type=token-exchange", `--subject-token-file=${file()}`, ...more);
const claimsOf = (ended: Ended) => JSON.parse(Buffer.from(credentialOf(ended).status.token.split(".")[1] ?? "", "base64url").toString("utf8"));
const stored = (folder: string) => (existsSync(join(home.data, folder)) ? readdirSync(join(home.data, folder)) : []);
const expectNothingCached = () => expect([stored("credentials"), stored("sessions"), stored("refresh")]).toEqual([[], [], []]);
const program = (name: string, script: string): string => {
  const path = join(home.folder, name);
  writeFileSync(path, script, { mode: 0o755 });
  return path;
};
/** As kubectl tells it. */
const toServer = (server: string) => ({ KUBERNETES_EXEC_INFO: execInfo({ server }) });

describe("whose token it is", () => {
  it("is looked at anew where a variable of any name holds the job's token", async () => {
    const through = session("--grant-type=subject-token", "--subject-token-variable=CIRCLE_OIDC_TOKEN", `--oidc-issuer-url=${platform.issuer}`);
    const subjects: unknown[] = [];
    for (const sub of ["job-a", "job-b", "job-a"]) {
      const token = await platform.token({ aud: "kubernetes", sub }, "token");
      for (const _ of [1, 2]) subjects.push(claimsOf(await home.run(through, { ...ci, CIRCLE_OIDC_TOKEN: token })).sub);
    }
    expect(subjects).toEqual(["job-a", "job-a", "job-b", "job-b", "job-a", "job-a"]);
    expect(errorCode(await home.run(through, ci))).toBe("SUBJECT_TOKEN_INVALID");
  });

  it("is held to its servers by a call that names none in between", async () => {
    await writeToken();
    credentialOf(await home.run(exchange(), { ...ci, ...toServer("https://one.example.com") }));
    expect((await home.run(["token", ...exchange("--force-refresh").slice(1)], ci)).status).toBe(0);
    expect(errorCode(await home.run(exchange(), { ...ci, ...toServer("https://evil.example.com") }))).toBe("SERVER_NOT_TRUSTED");
    credentialOf(await home.run(exchange(), { ...ci, ...toServer("https://one.example.com") }));
  });

  it("has nothing to bind: --dpop=always is refused", async () => {
    await writeToken();
    expect(errorCode(await home.run(exchange("--dpop=always"), ci))).toBe("FLAG_CONFLICT");
  });
});

/** The cached token has this many seconds left of its hour. */
function age(left: number): void {
  const folder = join(home.data, "credentials");
  for (const name of readdirSync(folder)) {
    const now = Date.now() / 1000;
    const record = JSON.parse(readFileSync(join(folder, name), "utf8"));
    writeFileSync(join(folder, name), JSON.stringify({ ...record, receivedAt: now - 3_600 + left, expiresAt: now + left }), { mode: 0o600 });
  }
}

describe("a machine without a secret", () => {
  it("exchanges its projected token, and asks nobody until the answer is old [X-01, X-05]", async () => {
    const token = await writeToken();
    const first = await home.run(exchange("--oidc-audience=prod"), ci);
    expect([first.status, first.stderr]).toEqual([0, ""]);
    expect(claimsOf(first)).toMatchObject({ sub: "repo:acme/web:ref:refs/heads/main", aud: "prod" });
    expect(Object.fromEntries(issuer.received("token", exchangeGrant)[0]?.form ?? [])).toMatchObject({ subject_token: token, audience: "prod" });
    rmSync(file());
    expect((await home.run(exchange("--oidc-audience=prod"), ci)).stdout).toContain(credentialOf(first).status.token);
    expect(issuer.count("token")).toBe(1);
    // Another cluster's audience is another token.
    await writeToken();
    expect(claimsOf(await home.run(exchange("--oidc-audience=stage"), ci)).aud).toBe("stage");
    expect(issuer.count("token")).toBe(2);
    // Nothing lies where refresh tokens do, and no keychain was asked: there is none.
    expect([stored("credentials").length, stored("refresh"), stored("sessions").length]).toEqual([2, [], 1]);
  });
  it("reads its token afresh each time [K-04]", async () => {
    for (const sub of ["one", "two", "three"]) {
      await writeToken({ sub });
      expect(claimsOf(await home.run(exchange("--force-refresh"), ci)).sub).toBe(sub);
    }
  });
  it("jwt-bearer sends it as the assertion, and verifies what comes [K-05]", async () => {
    const token = await writeToken();
    const bearer = session("--grant-type=jwt-bearer", `--subject-token-file=${file()}`, "--oidc-audience=prod", "--oidc-extra-scope=groups");
    expect(claimsOf(await home.run(bearer, ci))).toMatchObject({ aud: "prod", sub: "repo:acme/web:ref:refs/heads/main" });
    expect(Object.fromEntries(issuer.received("token", bearerGrant)[0]?.form ?? [])).toEqual({
      grant_type: bearerGrant,
      client_id: "kubernetes",
      assertion: token,
      scope: "openid groups",
      resource: "prod",
    });
    issuer.become({ idToken: { key: "stranger" } });
    expect(errorCode(await home.run([...bearer, "--force-refresh", "--account=x"], ci))).toBe("ID_TOKEN_INVALID");
    issuer.become({ token: oauthError("invalid_grant", "assertion expired") });
    const refused = await home.run([...bearer, "--account=x"], ci);
    expect([refused.status, errorCode(refused), refused.stderr]).toEqual([40, "SUBJECT_TOKEN_INVALID", expect.stringContaining("assertion expired")]);
  });
  it("client-credentials: its token stands for the client's secret, and openid stays out of Entra ID's way [K-04]", async () => {
    const token = await writeToken();
    const client = session("--grant-type=client-credentials", `--subject-token-file=${file()}`, "--oidc-extra-scope=api://cluster/.default");
    expect((await home.run(client, ci)).status).toBe(0);
    expect(Object.fromEntries(issuer.received("token", "client_credentials")[0]?.form ?? [])).toEqual({
      grant_type: "client_credentials",
      client_id: "kubernetes",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: token,
      scope: "api://cluster/.default",
    });
  });
  it("hands through what the cluster accepts itself: no request, and its own end", async () => {
    const token = await writeToken({ iss: "https://kubernetes.default.svc", aud: ["prod"], exp: Math.floor(Date.now() / 1000) + 3_600 }, "token");
    const through = ["get-token", "--oidc-issuer-url=https://kubernetes.default.svc", "--oidc-client-id=prod", "--grant-type=subject-token", `--subject-token-file=${file()}`];
    const ended = await home.run(through, ci);
    expect([credentialOf(ended).status.token, ended.stderr]).toEqual([token, ""]);
    expect(issuer.requests).toEqual([]);
    // auto finds out by the token's issuer.
    const auto = through.filter((word) => !word.startsWith("--grant-type"));
    expect(credentialOf(await home.run([...auto, "--force-refresh"], ci)).status.token).toBe(token);
    const foreign = await home.run([...through, "--oidc-client-id=stage"], ci);
    expect([foreign.status, errorCode(foreign), foreign.stderr]).toEqual([40, "SUBJECT_TOKEN_INVALID", expect.stringContaining("is for the audience prod, not stage")]);
    const elsewhere = await home.run([...through, "--oidc-issuer-url=https://elsewhere.example"], ci);
    expect([errorCode(elsewhere), elsewhere.stderr]).toEqual([
      "SUBJECT_TOKEN_INVALID",
      expect.stringContaining("is of the issuer https://kubernetes.default.svc, not https://elsewhere.example"),
    ]);
    expect(stored("credentials").length).toBe(2);
  });
  it("auto exchanges what another issuer made", async () => {
    await writeToken();
    expect(claimsOf(await home.run(session(`--subject-token-file=${file()}`, "--oidc-audience=prod"), ci)).iss).toBe(issuer.issuer);
    expect(issuer.count("token", exchangeGrant)).toBe(1);
  });
});

describe("GitHub Actions", () => {
  it("is asked as its documents say, with the issuer as audience, and the request's token goes nowhere else", async () => {
    const ended = await home.run(session("--grant-type=token-exchange", "--oidc-audience=prod", "-v8"), { ...ci, ...github.env });
    expect(ended.status, ended.stderr).toBe(0);
    expect(github.asked).toEqual([
      {
        method: "GET",
        path: "/8//idtoken/plan-1/job-1",
        query: new URLSearchParams({ "api-version": "2.0", audience: issuer.issuer }),
        authorization: `Bearer ${github.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN}`,
      },
    ]);
    expect(JSON.stringify(issuer.requests)).not.toContain(github.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN);
  });
  it("hands its own token through where the cluster trusts GitHub: for the client, or --oidc-audience", async () => {
    github.kind = "token";
    const own = ["get-token", `--oidc-issuer-url=${platform.issuer}`, "--oidc-client-id=kubernetes", "--identity=github"];
    expect(claimsOf(await home.run(own, { ...ci, ...github.env }))).toMatchObject({ iss: platform.issuer, aud: "kubernetes" });
    expect(claimsOf(await home.run([...own, "--oidc-audience=prod"], { ...ci, ...github.env })).aud).toBe("prod");
    expect(claimsOf(await home.run([...own, "--subject-token-audience=stage", "--grant-type=subject-token"], { ...ci, ...github.env })).aud).toBe("stage");
    expect(issuer.requests).toEqual([]);
  });
  it.each<[string, NonNullable<GithubStandIn["answer"]>]>([
    ["refuses", () => ({ status: 403, body: '{"message":"no"}' })],
    ["redirects", () => ({ status: 302, body: "", headers: { location: "https://evil.example/" } })],
    ["answers with a page", () => ({ status: 200, body: "<title>GitHub</title>" })],
    ["answers with no value", () => ({ status: 200, body: "{}" })],
    ["answers with a value that is no text", () => ({ status: 200, body: '{"value":{"a":1}}' })],
    ["answers with a value that is no token", () => ({ status: 200, body: '{"value":"nope"}' })],
    ["answers with far too much", () => ({ status: 200, body: `{"value":"${"x".repeat(2 << 20)}"}` })],
  ])("that %s: SUBJECT_TOKEN_INVALID, nothing cached, the issuer not asked for a token", async (_, answer) => {
    github.answer = answer;
    const ended = await home.run(session("--grant-type=token-exchange"), { ...ci, ...github.env });
    expect([ended.status, errorCode(ended), ended.stdout], ended.stderr).toEqual([40, "SUBJECT_TOKEN_INVALID", ""]);
    expect(issuer.count("token")).toBe(0);
    expectNothingCached();
  });
  it.each<[string, Readonly<Record<string, string>>]>([
    ["no permission", { ACTIONS_ID_TOKEN_REQUEST_URL: "" }],
    ["no token", { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "" }],
    ["an endpoint without TLS", { ACTIONS_ID_TOKEN_REQUEST_URL: "http://example.com/x" }],
    ["an endpoint that is no URL", { ACTIONS_ID_TOKEN_REQUEST_URL: "pipelines" }],
  ])("with %s: SUBJECT_TOKEN_INVALID, with the permission as the cure", async (_, more) => {
    const ended = await home.run(session("--identity=github"), { ...ci, ...github.env, ...more });
    expect([ended.status, errorCode(ended), ended.stderr]).toEqual([40, "SUBJECT_TOKEN_INVALID", expect.stringContaining("id-token: write")]);
  });
  describe("under strict", () => {
    const job = () => session("--grant-type=token-exchange", "--identity=github");
    const strict = (...allowed: readonly string[]) => {
      mkdirSync(home.config, { recursive: true, mode: 0o700 });
      writeFileSync(join(home.config, "config.yaml"), ["strict: true", "allow:", `  oidc-issuer-url: [${issuer.issuer}]`, ...allowed.map((line) => `  ${line}`), ""].join("\n"));
    };
    const originOf = (url: string) => new URL(url).origin;

    it("sends the job's request token to no endpoint but GitHub's, and those that the file lists", async () => {
      const env = { ...ci, ...github.env, ...toServer("https://one.example.com") };
      strict();
      expect(errorCode(await home.run(job(), env))).toBe("SETTINGS_INVALID");
      expect(github.asked).toEqual([]);
      strict(`ACTIONS_ID_TOKEN_REQUEST_URL: ["${originOf(github.env.ACTIONS_ID_TOKEN_REQUEST_URL)}"]`);
      credentialOf(await home.run(job(), env));
    });
    it("believes no authority of the environment there, unless the file lists it", async () => {
      const certificates = await makeCertificates(home.folder);
      const secure = await startGithub(platform, certificates);
      try {
        const env = { ...ci, ...secure.env, ...toServer("https://one.example.com"), NODE_EXTRA_CA_CERTS: certificates.caFile };
        const endpoint = `ACTIONS_ID_TOKEN_REQUEST_URL: ["${originOf(secure.env.ACTIONS_ID_TOKEN_REQUEST_URL)}"]`;
        strict(endpoint);
        expect(errorCode(await home.run(job(), env))).toBe("SUBJECT_TOKEN_INVALID");
        expect(secure.asked).toEqual([]);
        strict(endpoint, `NODE_EXTRA_CA_CERTS: ["${certificates.caFile}"]`);
        credentialOf(await home.run(job(), env));
      } finally {
        await secure.stop();
      }
    });
  });
  it("jobs that share a home never share a token", async () => {
    const asked = (job: string) => home.run(session("--grant-type=token-exchange"), { ...ci, ...github.env, GITHUB_RUN_ID: job });
    const tokens = [await asked("1"), await asked("2"), await asked("1")].map((ended) => credentialOf(ended).status.token);
    expect([tokens[0] === tokens[2], tokens[0] === tokens[1]]).toEqual([true, false]);
  });
});

describe("GitLab", () => {
  it("its job's token is taken out of the variable that it names", async () => {
    const token = await platform.token({ aud: "anything" });
    expect((await home.run(session("--grant-type=token-exchange"), { ...ci, GITLAB_CI: "true", CI_JOB_ID: "1", GITLAB_OIDC_TOKEN: token })).status).toBe(0);
    expect(issuer.received("token", exchangeGrant)[0]?.form.get("subject_token")).toBe(token);
    const other = await home.run(session("--identity=gitlab", "--subject-token-variable=ID_TOKEN_PROD"), { ...ci, GITLAB_CI: "true", CI_JOB_ID: "1", ID_TOKEN_PROD: token });
    expect(other.status, other.stderr).toBe(0);
    const none = await home.run(session("--identity=gitlab"), { ...ci, GITLAB_CI: "true" });
    expect([errorCode(none), none.stderr]).toEqual(["SUBJECT_TOKEN_INVALID", expect.stringContaining("id_tokens:")]);
  });
});

describe("Kubernetes' TokenRequest", () => {
  const kubectl = (body: string) => {
    mkdirSync(join(home.folder, "bin"), { recursive: true });
    program("bin/kubectl", `#!/bin/sh\n${body}\n`);
    return { ...ci, PATH: `${join(home.folder, "bin")}:${process.env["PATH"]}` };
  };
  const request = (...more: readonly string[]) => session("--identity=kubernetes", "--subject-token-service-account=ci/deploy", "--subject-token-context=home cluster", ...more);

  it("is asked by kubectl create token, in the context that is named", async () => {
    writeFileSync(file(), await platform.token({ aud: issuer.issuer }), { mode: 0o600 });
    const env = kubectl(`printf '%s\\n' "$@" >"${home.folder}/asked"; env >"${home.folder}/given"; cat "${file()}"`);
    const ended = await home.run(request("--grant-type=token-exchange"), { ...env, KUBECTL_OIDC_AUDIENCE: "prod", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "a-token-of-the-runner" });
    expect([ended.status, claimsOf(ended).aud], ended.stderr).toEqual([0, "prod"]);
    expect(readFileSync(join(home.folder, "asked"), "utf8").split("\n")).toEqual([
      "create",
      "token",
      "deploy",
      "--namespace=ci",
      "--context=home cluster",
      `--audience=${issuer.issuer}`,
      "--duration=600s",
      "",
    ]);
    expect(readFileSync(join(home.folder, "given"), "utf8")).not.toMatch(/^KUBECTL_OIDC_|^KUBERNETES_EXEC_INFO|a-token-of-the-runner/m);
  });
  it("that fails says what kubectl says, in one safe line", async () => {
    const ended = await home.run(request("--grant-type=token-exchange"), kubectl(`printf 'error: \\033[2Jserviceaccounts "deploy" is forbidden\\nmore\\n' >&2; exit 1`));
    expect([ended.status, errorCode(ended), ended.stdout]).toEqual([40, "SUBJECT_TOKEN_INVALID", ""]);
    expect(ended.stderr).toContain('ended with status 1: error: [2Jserviceaccounts "deploy" is forbidden');
    expect(ended.stderr).not.toMatch(/[^\n\P{Cc}]|more/u);
  });
  it("without kubectl says so", async () => {
    const ended = await home.run(request("--grant-type=token-exchange"), { ...ci, PATH: join(home.folder, "subject") });
    expect([errorCode(ended), ended.stderr]).toEqual(["SUBJECT_TOKEN_INVALID", expect.stringContaining("the program kubectl is not there")]);
  });
  it("whose context logs in by itself ends, instead of starting the next one for ever", async () => {
    const env = kubectl("exit 1");
    writeFileSync(
      join(home.folder, "bin", "kubectl"),
      `#!/bin/sh\necho x >>"${home.folder}/times"\nexec "${process.execPath}" "${join(import.meta.dirname, "../../dist/kubectl-oidc.cjs")}" ${request("--grant-type=token-exchange")
        .map((word) => `'${word}'`)
        .join(" ")}\n`,
      { mode: 0o755 },
    );
    const ended = await home.run(request("--grant-type=token-exchange"), env);
    expect([errorCode(ended), ended.stderr]).toEqual(["SUBJECT_TOKEN_INVALID", expect.stringContaining("asks for itself")]);
    expect(readFileSync(join(home.folder, "times"), "utf8")).toBe("x\n");
  });
});

describe("a command that comes back to this program for another machine's token", () => {
  it("has it, though the two sessions share one of the machines' locks", async () => {
    await writeToken();
    // The inner session's token, cached as any other, is what the outer one brings.
    home.holdsSecrets(join("data", "kubectl-oidc", "credentials"));
    const own = join(home.folder, "own-token");
    const outer = (...more: readonly string[]) => session("--grant-type=token-exchange", `--subject-token-command=${own}`, "--oidc-audience=prod", ...more);
    const inner = (scope: string) => ["token", ...exchange(`--oidc-extra-scope=${scope}`).slice(1)];
    const records = (): readonly SessionRecord[] => stored("sessions").map((name) => JSON.parse(readFileSync(join(home.data, "sessions", name), "utf8")));
    program("own-token", `#!/bin/sh\ncat "${file()}"\n`);
    credentialOf(await home.run(outer(), ci));
    const lock = records()[0]?.key.slice(0, 2);
    expect((await home.run(inner("s0"), ci)).status).toBe(0);
    const { identity } = records().find((record) => record.identity.scopes.includes("s0")) ?? expect.fail("no session with that scope");
    const scopes = Array.from({ length: 10_000 }, (_, nth) => `s${nth}`);
    const scope = scopes.find((name) => sessionKey({ ...identity, scopes: [name] }).slice(0, 2) === lock) ?? expect.fail("no name meets the other");
    const again = [...programCommand, ...inner(scope)].map((word) => `'${word}'`).join(" ");
    program("own-token", `#!/bin/sh\nexec ${again}\n`);
    const ended = await home.run(outer("--force-refresh"), ci);
    expect([ended.status, ended.stderr]).toEqual([0, ""]);
    expect(records().filter(({ key }) => key.startsWith(lock ?? "none"))).toHaveLength(2);
  });
});

describe("a command", () => {
  const command = (script: string) => session("--grant-type=token-exchange", `--subject-token-command=${program("get-identity", `#!/bin/sh\n${script}\n`)} api 'fetch jwt'`);

  it("prints the token, with its words as they are, without a shell", async () => {
    await writeToken();
    const ended = await home.run(
      command(`[ "$1|$2" = "api|fetch jwt" ] && printf 'token(spiffe://example.org/ci):\\n\\t' && cat "${file()}" && printf 'bundle(x):\\n\\t{}\\n'`),
      ci,
    );
    expect(ended.status, ended.stderr).toBe(0);
  });
  it.each<[string, string, string]>([
    ["fails", "echo no agent >&2; exit 3", "ended with status 3: no agent"],
    ["is ended by a signal", "kill -9 $$", "ended by a signal"],
    ["prints nothing", "exit 0", "printed nothing"],
    ["floods its stdout", "exec yes eyJ", "prints too much"],
    ["prints what is no token", "echo hello", "is not a JWT"],
    ["floods its stderr and fails", "yes | head -c 500000 >&2; exit 1", "ended with status 1: y"],
  ])("that %s: SUBJECT_TOKEN_INVALID, nothing cached", async (_, script, said) => {
    const ended = await home.run(command(script), ci);
    expect([ended.status, errorCode(ended), ended.stdout, ended.stderr]).toEqual([40, "SUBJECT_TOKEN_INVALID", "", expect.stringContaining(said)]);
    expect(issuer.count("token")).toBe(0);
    expectNothingCached();
  });
  it("that prints the token on stderr and fails does not have it shown", async () => {
    const token = await writeToken();
    home.holdsSecrets("get-identity");
    const ended = await home.run(command(`echo "cannot use ${token}" >&2; exit 1`), ci);
    expect([errorCode(ended), ended.stderr]).toEqual(["SUBJECT_TOKEN_INVALID", expect.stringContaining("cannot use [redacted]")]);
  });
  it("that hangs is ended at its deadline, with what it started", async () => {
    const started = performance.now();
    const ended = await home.run(command(`sleep 300 & echo $! >"${home.folder}/child"; wait`), ci);
    expect([errorCode(ended), ended.stderr]).toEqual(["SUBJECT_TOKEN_INVALID", expect.stringContaining("no answer in 10 s")]);
    expect(performance.now() - started).toBeLessThan(15_000);
    await expect.poll(() => isAlive(Number(readFileSync(join(home.folder, "child"), "utf8")))).toBe(false);
    expectNothingCached();
  }, 30_000);
  it("that leaves something running with its stdout open holds nobody up", async () => {
    await writeToken();
    const started = performance.now();
    const ended = await home.run(command(`sleep 60 & echo $! >"${home.folder}/child"; cat "${file()}"`), ci);
    expect(ended.status, ended.stderr).toBe(0);
    expect(performance.now() - started).toBeLessThan(8_000);
    process.kill(Number(readFileSync(join(home.folder, "child"), "utf8")));
  }, 30_000);
  it("ends with us", async () => {
    const started = home.start(command(`echo $$ >"${home.folder}/child.tmp"; mv "${home.folder}/child.tmp" "${home.folder}/child"; exec sleep 300`), ci);
    await expect.poll(() => existsSync(join(home.folder, "child"))).toBe(true);
    started.child.kill("SIGTERM");
    const ended = await started.ended;
    expect([ended.status, ended.stdout]).toEqual([130, ""]);
    await expect.poll(() => isAlive(Number(readFileSync(join(home.folder, "child"), "utf8")))).toBe(false);
  });
});

/** One that ended and that nobody has collected is not. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

describe("a token file", () => {
  const replaceBy = (make: (path: string) => unknown) => {
    rmSync(file());
    make(file());
  };
  it.each<[string, () => void, string]>([
    ["is not there", () => rmSync(file()), "ENOENT"],
    ["is empty", () => writeFileSync(file(), ""), "it is empty"],
    ["is a folder", () => replaceBy(mkdirSync), "it is not a file"],
    ["can be written by its group", () => chmodSync(file(), 0o620), "others may write it"],
    ["can be written by everybody", () => chmodSync(file(), 0o606), "others may write it"],
    ["is far too large", () => writeFileSync(file(), "x".repeat(100_000)), "too large"],
    ["is a device", () => replaceBy((path) => symlinkSync("/dev/zero", path)), "it is not a file"],
  ])("that %s: SUBJECT_TOKEN_INVALID, nothing sent, nothing cached", async (_, spoil, said) => {
    await writeToken();
    spoil();
    const ended = await home.run(exchange(), ci);
    expect([ended.status, errorCode(ended), ended.stdout, ended.stderr]).toEqual([40, "SUBJECT_TOKEN_INVALID", "", expect.stringContaining(said)]);
    expect(issuer.count("token")).toBe(0);
    expectNothingCached();
  });
  it("that others can read is used, and said once", async () => {
    await writeToken();
    chmodSync(file(), 0o644);
    const ended = await home.run(exchange(), ci);
    expect([ended.status, ended.stderr.match(/warning/g)?.length, ended.stderr]).toEqual([0, 1, expect.stringContaining("chmod 600")]);
    expect((await home.run(exchange(), ci)).stderr).toBe("");
  });
  it.each<[string, Readonly<Record<string, unknown>> | (() => Readonly<Record<string, unknown>>), string]>([
    ["has expired", { exp: 1_700_000_000 }, "the subject token expired"],
    ["ends too soon", () => ({ exp: Math.floor(Date.now() / 1000) + 8 }), "about to expire"],
    ["is not valid yet", { nbf: 4_000_000_000 }, "not valid yet"],
  ])("whose token %s: SUBJECT_TOKEN_INVALID, nothing sent", async (_, claims, said) => {
    await writeToken(typeof claims === "function" ? claims() : claims);
    const ended = await home.run(exchange(), ci);
    expect([errorCode(ended), ended.stderr]).toEqual(["SUBJECT_TOKEN_INVALID", expect.stringContaining(said)]);
    expect(issuer.count("token")).toBe(0);
  });
  it("whose token is for somebody else, by --subject-token-audience: SUBJECT_TOKEN_INVALID, nothing sent", async () => {
    await writeToken({ aud: "somebody" });
    expect(errorCode(await home.run(exchange("--subject-token-audience=us"), ci))).toBe("SUBJECT_TOKEN_INVALID");
    expect(issuer.count("token")).toBe(0);
    expect((await home.run(exchange(), ci)).status).toBe(0);
  });
  it("that is rotated while many calls run gives each a whole token [K-04]", async () => {
    // As the kubelet does it: files in a new folder, then ..data swapped by a rename, then the old folder removed.
    const volume = join(home.folder, "subject", "volume");
    mkdirSync(volume);
    const rotate = async (nth: number) => {
      const folder = `..2026_${nth}`;
      mkdirSync(join(volume, folder));
      writeFileSync(join(volume, folder, "token"), await platform.token({ aud: issuer.issuer, sub: `rotation-${nth}`, padding: "x".repeat(2_000) }), { mode: 0o600 });
      symlinkSync(folder, join(volume, "..data_tmp"));
      renameSync(join(volume, "..data_tmp"), join(volume, "..data"));
      if (nth > 0) rmSync(join(volume, `..2026_${nth - 1}`), { recursive: true });
    };
    await rotate(0);
    symlinkSync("..data/token", join(volume, "token"));
    const state = { done: false, nth: 0 };
    const rotating = (async () => {
      while (!state.done) await rotate(++state.nth);
    })();
    const run = (nth: number) => home.run(session("--grant-type=token-exchange", `--subject-token-file=${join(volume, "token")}`, `--account=call-${nth}`), ci);
    const calls = (await Promise.all([0, 1, 2].map(async (worker) => [await run(worker), await run(worker + 10), await run(worker + 20)]))).flat();
    state.done = true;
    await rotating;
    expect(calls.map(({ status, stderr }) => [status, stderr])).toEqual(calls.map(() => [0, ""]));
    for (const call of calls) expect(claimsOf(call).sub).toMatch(/^rotation-\d+$/);
    expect(state.nth).toBeGreaterThan(10);
  }, 60_000);
});

describe("what the issuer answers", () => {
  it.each<[string, Behaviour, string]>([
    ["another type", { token: changeJson({ issued_token_type: "urn:ietf:params:oauth:token-type:refresh_token" }) }, "ID_TOKEN_INVALID"],
    ["no type", { token: changeJson({ issued_token_type: undefined }) }, "ID_TOKEN_INVALID"],
    ["a token for another audience", { idToken: { claims: { aud: "stage" } } }, "ID_TOKEN_INVALID"],
    ["a token of another issuer", { idToken: { claims: { iss: "https://elsewhere.example" } } }, "ID_TOKEN_INVALID"],
    ["a token with a bad signature", { idToken: { key: "stranger" } }, "ID_TOKEN_INVALID"],
    ["a token that has expired", { idToken: { claims: { exp: 1_700_000_000 } } }, "ID_TOKEN_INVALID"],
    ["no token", { token: changeJson({ access_token: undefined }) }, "ISSUER_UNREACHABLE"],
    ["an opaque token", { token: changeJson({ access_token: "opaque-token-of-the-issuer" }) }, "ID_TOKEN_MISSING"],
    ["a page", tokenFaults["answers with a page"], "ISSUER_UNREACHABLE"],
    ["that the subject token is refused", { token: oauthError("invalid_request", "subject token is not trusted") }, "SUBJECT_TOKEN_INVALID"],
    ["that it gives no such audience", { token: oauthError("invalid_target") }, "SCOPE_REJECTED"],
    ["that the client may not", { token: oauthError("unauthorized_client") }, "CLIENT_REJECTED"],
    ["that it knows no such grant", { token: oauthError("unsupported_grant_type") }, "GRANT_UNSUPPORTED"],
    ["that it is broken", tokenFaults["is broken"], "ISSUER_UNREACHABLE"],
  ])("%s: its code, and nothing is cached", async (_, behaviour, code) => {
    await writeToken();
    issuer.become(behaviour);
    const ended = await home.run(exchange("--oidc-audience=prod"), ci);
    expect([errorCode(ended), ended.stdout, ended.stderr.trim().split("\n").length <= 3], ended.stderr).toEqual([code, "", true]);
    expectNothingCached();
  });
  it("a refresh token with it: it lies nowhere [X-04]", async () => {
    await writeToken();
    issuer.become({ token: changeJson({ refresh_token: "refresh-token-nobody-asked-for" }) });
    expect((await home.run(exchange(), ci)).status).toBe(0);
    expect((await home.run(session("--grant-type=client-credentials", "--token-cache-storage=disk"), ci)).status).toBe(0);
    for (const folder of ["credentials", "sessions", "refresh"])
      for (const name of stored(folder)) expect(readFileSync(join(home.data, folder, name), "utf8")).not.toContain("nobody-asked-for");
  });
});

describe("faults and crowds are a machine's as they are a person's", () => {
  it("a token that is still good outlives an issuer out of reach, and a platform [promise 6]", async () => {
    await writeToken();
    const first = await home.run(exchange(), ci);
    age(30);
    issuer.become(tokenFaults["is broken"]);
    const second = await home.run(exchange(), ci);
    expect([credentialOf(second).status.token, second.stderr]).toEqual([credentialOf(first).status.token, ""]);
    issuer.become({});
    rmSync(file());
    const third = await home.run(exchange(), ci);
    expect([credentialOf(third).status.token, third.stderr]).toEqual([credentialOf(first).status.token, expect.stringContaining("[SUBJECT_TOKEN_INVALID]")]);
    age(3);
    expect(errorCode(await home.run(exchange(), ci))).toBe("SUBJECT_TOKEN_INVALID");
    await writeToken();
    expect(credentialOf(await home.run(exchange(), ci)).status.token).not.toBe(credentialOf(first).status.token);
  });
  it("no keychain and no helper is asked, whatever the storage is called", async () => {
    await writeToken();
    mkdirSync(join(home.folder, "bin"));
    program("bin/docker-credential-spy", `#!/bin/sh\necho "$1" >>"${home.folder}/asked"\nexit 1\n`);
    const env = { ...ci, PATH: `${join(home.folder, "bin")}:${process.env["PATH"]}` };
    const options = args("--token-cache-storage=helper:spy", "--grant-type=token-exchange", `--subject-token-file=${file()}`);
    for (const command of ["get-token", "login", "token", "status", "whoami", "doctor", "logout"]) await home.run([command, ...(command === "status" ? [] : options)], env);
    expect(existsSync(join(home.folder, "asked"))).toBe(false);
    expect((await home.run(["get-token", ...options], env)).status).toBe(0);
  });
  it("one stanza serves people and jobs: a variable says which", async () => {
    const ended = await home.run(session(), { ...ci, ...github.env, KUBECTL_OIDC_IDENTITY: "auto", KUBECTL_OIDC_AUDIENCE: "prod" });
    expect(claimsOf(ended)).toMatchObject({ iss: issuer.issuer, aud: "prod" });
    expect((await home.run(session(), ci)).status).toBe(20);
  });
  it("parallel first calls make one exchange, and say nothing", async () => {
    await writeToken();
    const ended = await Promise.all(Array.from({ length: 20 }, () => home.run(exchange(), ci)));
    expect(ended.map(({ status, stderr }) => [status, stderr])).toEqual(ended.map(() => [0, ""]));
    expect(new Set(ended.map((one) => credentialOf(one).status.token)).size).toBe(1);
    expect(issuer.count("token")).toBe(1);
  }, 60_000);
  it("parallel calls share one failure of the platform too", async () => {
    const hangs = program("hangs", `#!/bin/sh\necho x >>"${home.folder}/times"\nexec sleep 300\n`);
    const ended = await Promise.all(Array.from({ length: 4 }, () => home.run(session("--grant-type=token-exchange", `--subject-token-command=${hangs}`), ci)));
    expect(ended.map(errorCode)).toEqual(ended.map(() => "SUBJECT_TOKEN_INVALID"));
    expect(readFileSync(join(home.folder, "times"), "utf8")).toBe("x\n");
  }, 60_000);
  it("what ended over an hour ago is forgotten when a machine stores something new", async () => {
    await writeToken();
    for (const job of ["1", "2"]) expect((await home.run(exchange(), { ...ci, CI_JOB_ID: job })).status).toBe(0);
    const folder = join(home.data, "sessions");
    for (const name of readdirSync(folder)) {
      const record = JSON.parse(readFileSync(join(folder, name), "utf8"));
      writeFileSync(join(folder, name), JSON.stringify({ ...record, tokenExpiresAt: "2026-01-01T00:00:00Z" }), { mode: 0o600 });
    }
    expect((await home.run(exchange(), { ...ci, CI_JOB_ID: "3" })).status).toBe(0);
    expect([stored("sessions").length, stored("credentials").length]).toEqual([1, 1]);
    expect(stored("locks").length).toBeLessThan(20);
  });
});

describe("other commands", () => {
  it("login, token, whoami, status and logout work as for anybody", async () => {
    await writeToken();
    const options = args("--grant-type=token-exchange", `--subject-token-file=${file()}`);
    const login = await home.run(["login", ...options], ci);
    expect([login.status, login.stderr], login.stderr).toEqual([0, expect.stringMatching(/logged in to .* as repo:acme\/web[\s\S]*made anew without you/)]);
    expect((await home.run(["token", ...options], ci)).stdout).toMatch(/^eyJ/);
    expect((await home.run(["whoami", ...options], ci)).stdout).toContain("repo:acme/web");
    const status = JSON.parse((await home.run(["status", "-o", "json"], ci)).stdout);
    expect(status.sessions).toMatchObject([{ subject: "repo:acme/web:ref:refs/heads/main", hasRefreshToken: false, state: "active" }]);
    expect((await home.run(["logout", ...options], ci)).status).toBe(0);
    expectNothingCached();
  });
  it("logout --all ends them without their identity", async () => {
    await writeToken();
    expect((await home.run(exchange(), ci)).status).toBe(0);
    rmSync(file());
    expect((await home.run(["logout", "--all"], ci)).status).toBe(0);
    expectNothingCached();
  });
});

describe("doctor and setup", () => {
  const options = (...more: readonly string[]) => args("--grant-type=token-exchange", `--subject-token-file=${file()}`, ...more);
  const checks = async (...more: readonly string[]) =>
    JSON.parse((await home.run(["doctor", "-o", "json", ...options(...more)], ci)).stdout).checks as readonly {
      readonly id: string;
      readonly status: string;
      readonly detail: string;
    }[];
  const named = async (id: string, ...more: readonly string[]) => (await checks(...more)).find((check) => check.id === id);

  it("doctor says which identity was found, whether it can be read, and whether the issuer lists the grant", async () => {
    await writeToken();
    expect(await named("D-15")).toMatchObject({ status: "ok", detail: expect.stringContaining(`it stands on the file ${file()}, whose token can be read and is good until`) });
    // A cached token says nothing about the next one.
    rmSync(file());
    expect(await named("D-15")).toMatchObject({ status: "fail", detail: expect.stringContaining("ENOENT") });
    await writeToken();
    issuer.become({ discovery: changeJson({ grant_types_supported: ["authorization_code"] }) });
    expect(await named("D-05")).toMatchObject({ status: "fail", detail: expect.stringContaining("does not list the grant urn:ietf:params:oauth:grant-type:token-exchange") });
    for (const { detail } of await checks()) expect(detail).not.toMatch(/eyJ/);
  });
  it("doctor says what was looked for when nothing is found", async () => {
    const ended = await home.run(["doctor", "-o", "json", ...args("--grant-type=token-exchange")], ci);
    const { checks: all } = JSON.parse(ended.stdout);
    expect(all.find(({ id }: { readonly id: string }) => id === "D-15")).toMatchObject({
      status: "fail",
      detail: expect.stringContaining("looked for ACTIONS_ID_TOKEN_REQUEST_URL"),
    });
  });
  it.each([true, false])("setup writes the stanza, with the identity here: %s", async (isHere) => {
    await writeToken();
    if (!isHere) rmSync(file());
    const before =
      "apiVersion: v1\nkind: Config\ncurrent-context: prod\nclusters: [{name: prod, cluster: {server: 'https://k8s.example.com'}}]\ncontexts: [{name: prod, context: {cluster: prod, user: ''}}]\nusers: []\n";
    writeFileSync(join(home.folder, "kubeconfig"), before, { mode: 0o600 });
    const ended = await home.run(["setup", "--context=prod", ...options("--oidc-audience=prod"), "--yes"], ci);
    expect(ended.stderr).toContain(isHere ? "as client kubernetes" : "no token was looked at");
    const written = readFileSync(join(home.folder, "kubeconfig"), "utf8");
    for (const word of ["--grant-type=token-exchange", `--subject-token-file=${file()}`, "oidc-audience: prod"]) expect(written).toContain(word);
    expect(written).not.toMatch(/offline|scope/);
  });
});

describe("a real provider that trusts the platform", () => {
  let provider: RunningProvider;
  let trust: Readonly<Record<string, string>>;
  beforeEach(async () => {
    const certificates = await makeCertificates(home.folder);
    provider = await startProvider({ certificates, platforms: [platform] });
    trust = { ...ci, NODE_EXTRA_CA_CERTS: certificates.caFile };
  });
  afterEach(() => provider.stop());
  const deploy = (grant: string) => [
    "get-token",
    `--oidc-issuer-url=${provider.issuer}`,
    "--oidc-client-id=deploy",
    `--grant-type=${grant}`,
    `--subject-token-file=${file()}`,
    "--oidc-audience=kubernetes",
  ];

  it.each(["token-exchange", "jwt-bearer"])("gives a verified token for %s, and refuses what it must [X-01, K-05]", async (grant) => {
    await writeToken({ aud: provider.issuer });
    const ended = await home.run(deploy(grant), trust);
    expect(ended.status, ended.stderr).toBe(0);
    expect(claimsOf(ended)).toMatchObject({ iss: provider.issuer, aud: "kubernetes", sub: "repo:acme/web:ref:refs/heads/main", client_id: "deploy" });
    const stranger = await makePlatform(platform.issuer);
    for (const token of [
      await stranger.token({ aud: provider.issuer }),
      await platform.token({ aud: "https://elsewhere.example" }),
      await platform.token({ aud: provider.issuer, iss: "https://elsewhere.example" }),
    ]) {
      writeFileSync(file(), token, { mode: 0o600 });
      const refused = await home.run([...deploy(grant), "--account=nobody"], trust);
      expect([refused.status, errorCode(refused), refused.stderr]).toEqual([
        40,
        "SUBJECT_TOKEN_INVALID",
        expect.stringMatching(/localhost:\d+ does not accept the subject token[\s\S]*(of no trusted platform|invalid_grant)/),
      ]);
    }
  });
  it("says which audience it does not give", async () => {
    await writeToken({ aud: provider.issuer });
    const ended = await home.run([...deploy("token-exchange").slice(0, -1), "--oidc-audience=stage"], trust);
    expect([ended.status, errorCode(ended), ended.stderr]).toEqual([30, "SCOPE_REJECTED", expect.stringContaining("stage")]);
  });
});
