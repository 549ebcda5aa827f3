import { describe, expect, it } from "vitest";
import { chooseSubject } from "../../src/core/choose-subject.ts";
import { askingVariable } from "../../src/core/job-variables.ts";
import { identityOf, isPureMachine, itemName, lockName, sessionKey } from "../../src/core/keys.ts";
import { isMemoFor, type Memo, memoInputs, secretDigest } from "../../src/core/memo.ts";
import type { RawOptions } from "../../src/core/option-values.ts";
import { resolveSettings, type Settings } from "../../src/core/settings.ts";
import { podTokenFile } from "../../src/core/subject-source.ts";
import { isOidcError } from "../../src/errors/oidc-error.ts";
import { codeOf } from "../fakes/codes.ts";

const settings = (options: RawOptions = {}): Settings =>
  resolveSettings([
    { label: "--", typed: true, options: { "oidc-issuer-url": ["https://id.example.com"], "oidc-client-id": ["kubernetes"], "grant-type": ["token-exchange"], ...options } },
  ]);
const choose = (options: RawOptions, env: Readonly<Record<string, string>> = {}, files: readonly string[] = []) =>
  chooseSubject(settings(options), env, (path) => files.includes(path));
const github = { ACTIONS_ID_TOKEN_REQUEST_URL: "https://run.actions.example/idtoken?x=1", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token-1", GITHUB_ACTIONS: "true" };
const gitlab = { GITLAB_CI: "true", GITLAB_OIDC_TOKEN: "the-id-token-of-the-job" };
const azure = { AZURE_FEDERATED_TOKEN_FILE: "/var/run/azure/token" };
const aws = { AWS_WEB_IDENTITY_TOKEN_FILE: "/var/run/eks/token" };
const pod = { KUBERNETES_SERVICE_HOST: "10.0.0.1" };
const all = { ...github, ...gitlab, ...azure, ...aws, ...pod };
const files = ["/var/run/azure/token", "/var/run/eks/token", podTokenFile];

describe("--identity=auto takes the first of", () => {
  it.each<[string, RawOptions, Readonly<Record<string, string>>, object]>([
    [
      "--subject-token-command",
      { "subject-token-command": ["spire-agent api 'fetch jwt'"], "subject-token-file": ["/t"] },
      all,
      { kind: "command", words: ["spire-agent", "api", "fetch jwt"] },
    ],
    ["--subject-token-file", { "subject-token-file": ["/t"], "subject-token-service-account": ["ci/deploy"] }, all, { kind: "file", path: "/t" }],
    [
      "--subject-token-service-account",
      { "subject-token-service-account": ["ci/deploy"], "subject-token-context": ["home"], "subject-token-variable": ["CIRCLE_OIDC_TOKEN"] },
      all,
      { kind: "kubernetes", context: "home", namespace: "ci", name: "deploy" },
    ],
    ["--subject-token-variable", { "subject-token-variable": ["CIRCLE_OIDC_TOKEN"] }, { ...all, CIRCLE_OIDC_TOKEN: "x" }, { kind: "gitlab", variable: "CIRCLE_OIDC_TOKEN" }],
    ["GitHub Actions", {}, all, { kind: "github" }],
    ["GitLab", {}, { ...gitlab, ...azure, ...aws, ...pod }, { kind: "gitlab", variable: "GITLAB_OIDC_TOKEN" }],
    ["Azure's file", {}, { GITLAB_CI: "true", ...azure, ...aws, ...pod }, { kind: "file", path: "/var/run/azure/token" }],
    ["AWS's file", {}, { AZURE_FEDERATED_TOKEN_FILE: "/gone", ...aws, ...pod }, { kind: "file", path: "/var/run/eks/token" }],
    ["a pod's own file", {}, pod, { kind: "file", path: podTokenFile }],
  ])("%s", (_, options, env, source) => {
    expect(choose(options, env, files)?.source).toEqual(source);
    expect(choose({ identity: ["auto"], ...options }, env, files)?.source).toEqual(source);
  });
  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ["nothing is found, what was looked for", {}, /ACTIONS_ID_TOKEN_REQUEST_URL, GITLAB_CI, AZURE_FEDERATED_TOKEN_FILE.*--subject-token-file/],
    ["a job of GitHub lacks the permission", { GITHUB_ACTIONS: "true" }, /id-token: write/],
    ["a job of GitLab lacks the token", { GITLAB_CI: "true" }, /GITLAB_OIDC_TOKEN.*id_tokens:/],
    ["there is SPIFFE, its command", { SPIFFE_ENDPOINT_SOCKET: "unix:///run/spire.sock" }, /spire-agent api fetch jwt -output json/],
    ["a pod has no file", pod, /a pod's own token/],
  ])("and when %s: SUBJECT_TOKEN_INVALID", (_, env, said) => {
    try {
      choose({}, env);
      expect.unreachable();
    } catch (error) {
      if (!isOidcError(error)) throw error;
      expect([error.code, `${error.message} ${error.hint}`]).toEqual(["SUBJECT_TOKEN_INVALID", expect.stringMatching(said)]);
    }
  });
});

describe("an identity that is named", () => {
  it.each<[string, RawOptions, string]>([
    ["file", {}, "SETTINGS_INCOMPLETE"],
    ["command", {}, "SETTINGS_INCOMPLETE"],
    ["kubernetes", {}, "SETTINGS_INCOMPLETE"],
    ["github", {}, "SUBJECT_TOKEN_INVALID"],
    ["gitlab", {}, "SUBJECT_TOKEN_INVALID"],
    ["kubernetes", { "subject-token-service-account": ["deploy"] }, "SETTINGS_INVALID"],
    ["kubernetes", { "subject-token-service-account": ["ci/--kubeconfig=x"] }, "SETTINGS_INVALID"],
    ["kubernetes", { "subject-token-service-account": ["ci/a/b"] }, "SETTINGS_INVALID"],
    ["command", { "subject-token-command": ["  "] }, "SETTINGS_INVALID"],
  ])("%s with %o: %s", (identity, options, code) => {
    expect(codeOf(() => choose({ identity: [identity], ...options }, pod, files))).toBe(code);
  });
  it("is taken whatever else is there", () => {
    expect(choose({ identity: ["github"], "subject-token-file": ["/t"] }, all)?.source).toEqual({ kind: "github" });
    expect(choose({ identity: ["gitlab"] }, all)?.source).toEqual({ kind: "gitlab", variable: "GITLAB_OIDC_TOKEN" });
  });
  it("that would ask for itself without an end is refused", () => {
    const asking = { [askingVariable]: "1" };
    for (const options of [{ "subject-token-command": ["kubectl oidc token"] }, { "subject-token-service-account": ["ci/deploy"] }] satisfies RawOptions[])
      expect(codeOf(() => choose(options, asking))).toBe("SETTINGS_INVALID");
    expect(choose({}, { ...github, ...asking })).toMatchObject({ source: { kind: "github" }, isWithin: true });
  });
});

describe("grants and identities", () => {
  it("auto with an identity is a machine, and says so to nobody else", () => {
    const machine = settings({ "grant-type": ["auto"], "subject-token-file": ["/t"] });
    expect([machine.grant, machine.mayHandThrough]).toEqual(["token-exchange", true]);
    expect([settings({ "grant-type": ["auto"], identity: ["github"] }).grant, settings({ identity: ["github"] }).mayHandThrough]).toEqual(["token-exchange", false]);
    expect(settings({ "grant-type": ["auto"] }).grant).toBe("auto");
    expect(settings({ "grant-type": ["auto"], username: ["robot"], identity: ["github"] }).grant).toBe("password");
    expect(settings({ "grant-type": ["authcode"], identity: ["github"] }).grant).toBe("authcode");
  });
  it("a client is proved by its secret or by its platform, not by both", () => {
    const client = { "grant-type": ["client-credentials"], "oidc-client-secret-file": ["/secret"] };
    expect(codeOf(() => settings(client))).toBe("none");
    expect(codeOf(() => settings({ ...client, identity: ["auto"] }))).toBe("FLAG_CONFLICT");
    expect(codeOf(() => settings({ "grant-type": ["client-credentials"], identity: ["auto"], "client-key-file": ["/key"] }))).toBe("FLAG_CONFLICT");
    expect(codeOf(() => settings({ ...client, "grant-type": ["token-exchange"], identity: ["auto"] }))).toBe("none");
  });
  it("client-credentials needs one only when it is named, and a person never", () => {
    expect(choose({ "grant-type": ["client-credentials"] }, all, files)).toBeUndefined();
    expect(choose({ "grant-type": ["client-credentials"], identity: ["auto"] }, all)?.source).toEqual({ kind: "github" });
    for (const grant of ["auto", "authcode", "device-code", "password"]) expect(choose({ "grant-type": [grant] }, all, files)).toBeUndefined();
    for (const grant of ["jwt-bearer", "subject-token"]) expect(choose({ "grant-type": [grant] }, github)?.source).toEqual({ kind: "github" });
  });
  it("only a password leaves something for a keychain", () => {
    expect(["client-credentials", "token-exchange", "jwt-bearer", "subject-token", "password", "auto", "person"].filter(isPureMachine)).toEqual([
      "client-credentials",
      "token-exchange",
      "jwt-bearer",
      "subject-token",
    ]);
  });
});

describe("the session of a machine", () => {
  const session = (options: RawOptions, env: Readonly<Record<string, string>> = {}) => {
    const raw = settings(options);
    const identity = identityOf({ ...raw, subject: chooseSubject(raw, env, () => true) });
    return { identity, key: sessionKey(identity), isWithin: false };
  };
  it.each<[string, RawOptions, Readonly<Record<string, string>>, RawOptions, Readonly<Record<string, string>>]>([
    ["file", { "subject-token-file": ["/a"] }, {}, { "subject-token-file": ["/b"] }, {}],
    ["command", { "subject-token-command": ["x 1"] }, {}, { "subject-token-command": ["x 2"] }, {}],
    ["service account", { "subject-token-service-account": ["ci/a"] }, {}, { "subject-token-service-account": ["ci/b"] }, {}],
    ["context of the service account", { "subject-token-service-account": ["ci/a"] }, {}, { "subject-token-service-account": ["ci/a"], "subject-token-context": ["b"] }, {}],
    ["kubeconfig of the context", { "subject-token-service-account": ["ci/a"] }, {}, { "subject-token-service-account": ["ci/a"] }, { KUBECONFIG: "/elsewhere" }],
    ["kind", { "subject-token-file": ["/a"] }, {}, { "subject-token-command": ["/a"] }, {}],
    ["type of the token", { "subject-token-file": ["/a"] }, {}, { "subject-token-file": ["/a"], "subject-token-type": ["access_token"] }, {}],
    ["wanted type", { "subject-token-file": ["/a"] }, {}, { "subject-token-file": ["/a"], "requested-token-type": ["id_token"] }, {}],
    ["audience at the platform", { identity: ["github"] }, github, { identity: ["github"], "subject-token-audience": ["x"] }, github],
    ["grant", { "subject-token-file": ["/a"] }, {}, { "subject-token-file": ["/a"], "grant-type": ["jwt-bearer"] }, {}],
    ["job of GitLab", {}, { ...gitlab, CI_JOB_ID: "1" }, {}, { ...gitlab, CI_JOB_ID: "2" }],
    ["token of GitLab", {}, gitlab, {}, { ...gitlab, GITLAB_OIDC_TOKEN: "another-id-token" }],
    ["run of GitHub", {}, { ...github, GITHUB_RUN_ID: "1" }, {}, { ...github, GITHUB_RUN_ID: "2" }],
    ["leg of a matrix", {}, github, {}, { ...github, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token-2" }],
    ["job that reads the same file", { "subject-token-file": ["/a"] }, { CI_JOB_ID: "1" }, { "subject-token-file": ["/a"] }, { CI_JOB_ID: "2" }],
  ])("is another one for another %s [X-05]", (_, one, oneEnv, other, otherEnv) => {
    expect(session(one, oneEnv).key).not.toBe(session(other, otherEnv).key);
    expect(session(one, oneEnv).key).toBe(session(one, oneEnv).key);
  });
  it("holds no secret of the job, and says in a word what it stands on", () => {
    const { identity } = session({}, { ...github, GITHUB_REPOSITORY: "acme/web" });
    expect(JSON.stringify(identity)).not.toContain("request-token-1");
    expect(identity.machine).toMatch(/^GitHub Actions [0-9a-f]{32}$/);
    expect(JSON.stringify(session({}, gitlab).identity)).not.toContain("the-id-token-of-the-job");
    expect(itemName(identity)).toMatch(/#[0-9a-f]{8}$/);
  });
  it("has one of 256 locks, so that jobs leave no pile of lock files; a person's has its own", () => {
    const names = new Set(Array.from({ length: 1_000 }, (_, nth) => lockName(session({ "subject-token-file": [`/token-${nth}`] }))));
    expect(names.size).toBeLessThanOrEqual(256);
    const machine = session({ "subject-token-file": ["/token"] });
    expect(lockName({ ...machine, isWithin: true })).not.toBe(lockName(machine));
    const person = session({ "grant-type": ["auto"] });
    expect(lockName(person)).toBe(person.key);
  });
  it("with a password is that of its user name", () => {
    const key = (...names: string[]) => session({ "grant-type": ["password"], ...(names.length === 0 ? {} : { username: names }) }).key;
    expect(new Set([key(), key("ann"), key("bob")]).size).toBe(3);
    expect(session({ "grant-type": ["password"], username: ["ann"] }).identity).not.toHaveProperty("machine");
  });
});

describe("the memo of a machine's call", () => {
  const memo = (env: Readonly<Record<string, string>>): Memo => {
    const { open, secrets } = memoInputs(["get-token"], env, "1");
    return { inputs: open, salt: "s", digests: secrets.map((value) => secretDigest("s", value)) } as unknown as Memo;
  };
  const isFor = (one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>) => isMemoFor(memo(one), memoInputs(["get-token"], other, "1"));
  it.each([
    "CI_JOB_ID",
    "CI_SERVER_URL",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_JOB",
    "GITHUB_REPOSITORY",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "KUBERNETES_SERVICE_HOST",
  ])("is none for another %s", (name) => {
    expect(isFor({ [name]: "value-one" }, { [name]: "value-one" })).toBe(true);
    expect(isFor({ [name]: "value-one" }, { [name]: "value-two" })).toBe(false);
    expect(isFor({ [name]: "value-one" }, {})).toBe(false);
  });
  it("keeps what a job asks with as a salted digest", () => {
    expect(JSON.stringify(memo(github))).not.toContain("request-token-1");
  });
});
