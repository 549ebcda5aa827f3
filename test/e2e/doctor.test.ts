import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { exchangeGrant } from "../issuer/machine-answers.ts";
import { changeJson, onlyFor } from "../issuer/misbehaviours.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import { listenOnLocalhost } from "../issuer/listen-on-localhost.ts";
import { hasProgram } from "../programs.ts";
import { type DoctorStage, type Found, onDoctorStage } from "./doctor-stage.ts";
import { preloaded } from "./program.ts";

const withSession = (play: (stage: DoctorStage) => Promise<void>) => () =>
  onDoctorStage(async (stage) => {
    await stage.logIn();
    await play(stage);
  });
const claims = (changes: Readonly<Record<string, unknown>>) => ({ idToken: { claims: changes } });
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toUTCString();

describe("doctor", () => {
  it(
    "finds nothing wrong in a healthy installation, and says it in a table",
    withSession(async ({ home, issuer, doctor, server }) => {
      issuer.become(claims({ email: "ann@example.com", email_verified: true, groups: ["dev"] }));
      const found = await doctor();
      expect(found.checks.filter(({ status }) => status === "fail")).toEqual([]);
      expect(found).toMatchObject({ status: 0, stderr: "" });
      expect(found.checks.map(({ id }) => id)).toEqual(Array.from({ length: 23 }, (_, i) => `D-${String(i + 1).padStart(2, "0")}`));
      const text = await home.run(["doctor"], { PATH: `${join(home.folder, "bin")}:${home.env["PATH"]}`, DISPLAY: ":9" });
      expect(text).toMatchObject({ status: 0, stderr: "" });
      const shown = text.stdout
        .replaceAll(issuer.issuer, "https://ISSUER")
        .replaceAll(server, "https://SERVER")
        .replaceAll(home.folder, "FOLDER")
        .replaceAll(resolve(import.meta.dirname, "../../dist"), "DIST")
        .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "TIME")
        .replaceAll(/Node \d+\.\d+\.\d+/g, "Node 24.0.0")
        .replaceAll(/^.*D-21.*\n(?: {13}cure.*\n)?/gm, "")
        .replaceAll(/[\d.]+ KiB|\d+ bytes/g, "SIZE")
        .replaceAll(/the system's \([^)]*\)/g, "the system's (BUNDLE)")
        .replaceAll(/\d+ with a warning/g, "N with a warning");
      await expect(shown).toMatchFileSnapshot(resolve(import.meta.dirname, "../golden/doctor.txt"));
    }),
  );

  it("names at its end what to begin with, with its cure", () =>
    onDoctorStage(async ({ home, api, logIn }) => {
      await logIn();
      api.answer = 401;
      api.date = minutesAgo(5);
      const { stdout } = await home.run(["doctor"], { PATH: `${join(home.folder, "bin")}:${home.env["PATH"]}`, DISPLAY: ":9" });
      const [summary, cause, cure] = stdout.trimEnd().split("\n").slice(-3);
      expect(summary).toMatch(/^23 checks: 2 failed, /);
      expect(cause).toBe("most likely: D-13 clock: this computer's clock is 5 minutes ahead of the API server");
      expect(cure).toBe("       cure: run: sudo timedatectl set-ntp true");
      expect(stdout).toMatch(/D-14 .*likely: this computer's clock is 5 minutes ahead/);
    }));

  it("gives cures for the context and the options that it looked at", () =>
    onDoctorStage(async ({ doctor }) => {
      const found = await doctor({}, "--context=prod");
      expect(found.of("D-15").cure).toBe("run: kubectl oidc login --context=prod");
    }));

  it.skipIf(!hasProgram("kubectl"))(`has cures that mend what they are for${hasProgram("kubectl") ? "" : " (needs kubectl)"}`, () =>
    onDoctorStage(async ({ home, doctor, use }) => {
      use({
        user: { "client-certificate-data": "QUFBQQ==", "client-key-data": "QUFBQQ==", username: "ann", password: "x" },
        exec: { interactiveMode: undefined, provideClusterInfo: false, env: [{ name: "NODE_DEBUG", value: "http" }] },
      });
      for (const [id, pattern] of [
        ["D-01", /client-certificate/],
        ["D-01", /interactiveMode/],
        ["D-01", /provideClusterInfo/],
        ["D-03", /NODE_DEBUG/],
      ] as const) {
        const found = (await doctor()).of(id);
        expect(found.detail).toMatch(pattern);
        expect(found.cure).toMatch(/^run: kubectl config /);
        execFileSync("/bin/sh", ["-c", (found.cure ?? "").slice("run: ".length)], { env: { ...home.env, PATH: process.env["PATH"] ?? "" } });
      }
      const mended = await doctor();
      expect([mended.of("D-01").status, mended.of("D-03").status]).toEqual(["ok", "ok"]);
    }),
  );

  it("without any setting names what is missing, and ends with the first failure's exit", () =>
    onDoctorStage(async ({ home, doctor }) => {
      rmSync(join(home.folder, "kubeconfig"));
      const found = await doctor();
      expect(found.status).toBe(40);
      expect(found.of("D-01")).toMatchObject({ status: "fail", detail: expect.stringContaining("oidc-issuer-url") });
      expect(found.of("D-04").status).toBe("skipped");
    }));

  it("of somebody who is not logged in says so, and what can be looked at without a session", () =>
    onDoctorStage(async ({ doctor }) => {
      const found = await doctor();
      expect(found.status).toBe(20);
      expect(found.of("D-15")).toMatchObject({ status: "fail", detail: expect.stringContaining("not logged in"), cure: expect.stringContaining("kubectl oidc login") });
      expect(found.of("D-04").status).toBe("ok");
      expect(found.of("D-14").status).toBe("skipped");
    }));

  it(
    "tells no secret, in either form",
    withSession(async ({ issuer, doctor, home }) => {
      const env = {
        KUBECTL_OIDC_REQUEST_HEADER: "x-key=header-secret-value",
        KUBECTL_OIDC_PASSWORD: "password-secret-value",
        KUBECTL_OIDC_OPEN_URL_AFTER_AUTHENTICATION: "https://app.example.com/?key=query-secret-value",
        NO_PROXY: "*",
        HTTPS_PROXY: "http://ann:proxy-secret-value@127.0.0.1:9",
      };
      const json = await doctor(env);
      expect(json.of("D-23").detail).toContain("password=[redacted]");
      const text = await home.run(["doctor", "-v8"], env);
      expect(`${json.stdout}${json.stderr}${text.stdout}${text.stderr}`).not.toContain("-secret-value");
      for (const secret of issuer.secrets) expect(`${json.stdout}${json.stderr}${text.stdout}${text.stderr}`.includes(secret)).toBe(false);
    }),
  );
});

/** A preloaded file that sets the program's clock by so many seconds. */
function clockOff({ home }: DoctorStage, seconds: number): Readonly<Record<string, string>> {
  const file = join(home.folder, "clock.cjs");
  writeFileSync(
    file,
    `const real = Date; globalThis.Date = class extends real { constructor(...args) { if (args.length === 0) super(real.now() + ${seconds * 1000}); else super(...args); } static now() { return real.now() + ${seconds * 1000}; } };`,
  );
  return preloaded(file);
}

/** A program on the PATH, before or behind ours. */
function programNamed({ home }: DoctorStage, name: string, folder = "before"): void {
  mkdirSync(join(home.folder, folder), { recursive: true });
  writeFileSync(join(home.folder, folder, name), "#!/bin/sh\n", { mode: 0o755 });
}
const removeBefore = ({ home }: DoctorStage) => rmSync(join(home.folder, "before"), { recursive: true });

function setModes(home: DoctorStage["home"], folder: string, mode: number): void {
  for (const name of readdirSync(join(home.data, folder))) chmodSync(join(home.data, folder, name), mode);
}

const withFolderBefore = ({ home }: DoctorStage) => ({ PATH: `${join(home.folder, "before")}:${join(home.folder, "bin")}:${home.env["PATH"]}` });

/** A cause, what brings it about, the check that finds it, and its words. */
interface Cause {
  readonly name: string;
  readonly bring: (stage: DoctorStage) => unknown;
  readonly env?: (stage: DoctorStage) => Readonly<Record<string, string>>;
  readonly undo?: (stage: DoctorStage) => unknown;
  readonly id: string;
  readonly found: Partial<Found>;
  readonly exit: number;
}
const says = (pattern: RegExp) => expect.stringMatching(pattern) as string;

const causes: readonly Cause[] = [
  {
    name: "the clock is off by five minutes",
    bring: ({ api }) => {
      api.date = minutesAgo(5);
    },
    id: "D-13",
    found: { status: "fail", detail: says(/clock is 5 minutes ahead of the API server/), cure: says(/timedatectl/) },
    exit: 50,
  },
  {
    name: "the clock is five minutes ahead of everybody",
    bring: () => undefined,
    env: (stage) => clockOff(stage, 300),
    id: "D-13",
    found: { status: "fail", detail: says(/clock is 5 minutes ahead of the (issuer|API server)/) },
    exit: 50,
  },
  {
    name: "the clock is five minutes behind everybody",
    bring: () => undefined,
    env: (stage) => clockOff(stage, -300),
    id: "D-13",
    found: { status: "fail", detail: says(/clock is 5 minutes behind the /) },
    exit: 50,
  },
  {
    name: "the issuer is configured with a trailing slash",
    bring: ({ use, issuer }) => use({ args: [`--oidc-issuer-url=${issuer.issuer}/`] }),
    id: "D-04",
    found: { status: "fail", detail: says(/names the issuer http:\/\/localhost:\d+, not http:\/\/localhost:\d+\//), cure: says(/--oidc-issuer-url=http:\/\/localhost:\d+$/) },
    exit: 30,
  },
  {
    name: "the audience is wrong for the server",
    bring: ({ api }) => {
      api.trusts = { audience: "another-client" };
    },
    id: "D-14",
    found: { status: "fail", detail: says(/refuses the token \(401\).*another audience than kubernetes/) },
    exit: 40,
  },
  {
    name: "the server wants another audience than the one that was asked for",
    bring: ({ api, use }) => {
      use({ args: ["--oidc-audience=https://prod.example.com"] });
      api.trusts = { audience: "https://production.example.com" };
    },
    id: "D-14",
    found: { status: "fail", detail: says(/refuses the token \(401\).*another audience than https:\/\/prod\.example\.com/) },
    exit: 40,
  },
  {
    name: "the issuer gives no token for the audience",
    bring: ({ issuer, use }) => {
      use({ args: ["--oidc-audience=https://prod.example.com"] });
      issuer.become({
        token: async (request, _nth, proper) => {
          request.form.delete("resource");
          return request.grantType === exchangeGrant ? oauthError("unsupported_grant_type") : proper();
        },
      });
    },
    id: "D-15",
    found: { status: "fail", detail: says(/gives no token for the audience https:\/\/prod\.example\.com/) },
    exit: 30,
  },
  {
    name: "the server trusts another issuer",
    bring: ({ api }) => {
      api.trusts = { issuer: "https://another.example.com" };
    },
    id: "D-14",
    found: { status: "fail", detail: says(/another issuer than http:\/\/localhost:\d+ \(byte for byte\)/), cure: says(/setup --dry-run/) },
    exit: 40,
  },
  {
    name: "email_verified is false",
    bring: ({ issuer, api }) => {
      issuer.become(claims({ email: "ann@example.com", email_verified: false, groups: [] }));
      api.answer = 401;
    },
    id: "D-14",
    found: { status: "fail", detail: says(/likely: email_verified is false/) },
    exit: 40,
  },
  {
    name: "the server takes the groups from another claim",
    bring: ({ issuer, api }) => {
      issuer.become(claims({ groups: ["dev", "ops"] }));
      api.answer = ["oidc:ann"];
    },
    id: "D-14",
    found: { status: "warn", detail: says(/0 groups, and the token holds 2/), cure: says(/--oidc-groups-claim=groups/) },
    exit: 0,
  },
  {
    name: "there are no groups",
    bring: ({ issuer }) => issuer.become(claims({ groups: undefined })),
    id: "D-09",
    found: { status: "warn", detail: says(/no groups/), cure: says(/groups/) },
    exit: 0,
  },
  {
    name: "the groups overflow",
    bring: ({ issuer }) => issuer.become(claims({ groups: undefined, _claim_names: { groups: "src1" }, _claim_sources: { src1: { endpoint: "https://graph.example.com" } } })),
    id: "D-09",
    found: { status: "fail", detail: says(/overage/) },
    exit: 30,
  },
  {
    name: "the token is signed with EdDSA",
    bring: ({ issuer }) => issuer.become({ idToken: { alg: "EdDSA" }, discovery: changeJson({ id_token_signing_alg_values_supported: ["EdDSA"] }) }),
    id: "D-07",
    found: { status: "fail", detail: says(/EdDSA, which no API server accepts/), cure: says(/RS256 or ES256/) },
    exit: 30,
  },
  {
    name: "the refresh is refused",
    bring: ({ issuer }) => issuer.become({ token: onlyFor("refresh_token", oauthError("invalid_grant")) }),
    id: "D-15",
    found: { status: "fail", detail: says(/refuses the refresh token/), cure: says(/kubectl oidc login/) },
    exit: 20,
  },
  {
    name: "there is no browser",
    bring: ({ home, issuer }) => {
      rmSync(join(home.folder, "bin", "xdg-open"));
      issuer.become({ discovery: changeJson({ device_authorization_endpoint: undefined }) });
    },
    env: ({ home }) => ({ DISPLAY: "", PATH: join(home.folder, "bin") }),
    id: "D-19",
    found: { status: "fail", detail: says(/no browser/), cure: says(/authcode-keyboard/) },
    exit: 50,
  },
  {
    name: "the keychain is absent",
    bring: ({ use }) => use({ args: ["--token-cache-storage=keyring"] }),
    env: () => ({ DBUS_SESSION_BUS_ADDRESS: "unix:path=/nowhere/bus" }),
    id: "D-16",
    found: { status: "fail", detail: says(/keychain/) },
    exit: 20,
  },
  {
    name: "a proxy is in the way",
    bring: ({ use }) => use({ args: ["--oidc-issuer-url=https://id.example.invalid"] }),
    env: () => ({ HTTPS_PROXY: "http://127.0.0.1:9" }),
    id: "D-17",
    found: { status: "warn", detail: says(/id\.example\.invalid is reached through the proxy 127\.0\.0\.1:9.*in the way/), cure: says(/NO_PROXY/) },
    exit: 30,
  },
  {
    name: "the issuer gives no refresh token",
    bring: async ({ home, use, logIn }) => {
      rmSync(home.data, { recursive: true });
      use({ args: ["--no-offline-access"] });
      await logIn();
      rmSync(join(home.data, "refresh"), { recursive: true, force: true });
    },
    id: "D-15",
    found: { status: "warn", detail: says(/--no-offline-access keeps it from being asked for/), cure: "remove --no-offline-access" },
    exit: 0,
  },
  {
    name: "the cluster's private authority is missing",
    bring: async ({ use, home }) => {
      use({ cluster: { "certificate-authority": undefined } });
      await home.run(["trust", "add", "--context=prod"]);
    },
    id: "D-14",
    found: { status: "fail", detail: says(/certificate.*is not trusted: certificate authority not known here/), cure: says(/certificate-authority-data/) },
    exit: 30,
  },
  {
    name: "a client certificate competes",
    bring: ({ use }) => use({ user: { "client-certificate-data": "AAAA", "client-key-data": "AAAA" } }),
    id: "D-01",
    found: {
      status: "fail",
      detail: says(/client certificate too/),
      cure: "run: kubectl config unset users.oidc.client-certificate-data; kubectl config unset users.oidc.client-key-data",
    },
    exit: 40,
  },
];

/** Each is mended before the next one: they share a session. */
const inTheStore: readonly Cause[] = [
  {
    name: "the session's files can be read by others",
    bring: ({ home }) => setModes(home, "credentials", 0o644),
    undo: ({ home }) => setModes(home, "credentials", 0o600),
    id: "D-16",
    found: { status: "fail", detail: says(/credentials\/\w+\.json can be read by others/) },
    exit: 50,
  },
  {
    name: "the record of the session can be read by others",
    bring: ({ home }) => setModes(home, "sessions", 0o644),
    undo: ({ home }) => setModes(home, "sessions", 0o600),
    id: "D-16",
    found: { status: "fail", detail: says(/sessions\/\w+\.json can be read by others/) },
    exit: 50,
  },
  {
    name: "the store's folder can be written by others",
    bring: ({ home }) => chmodSync(home.data, 0o777),
    undo: ({ home }) => chmodSync(home.data, 0o700),
    id: "D-16",
    found: { status: "fail", detail: says(/can be written by others/) },
    exit: 50,
  },
  {
    name: "a file of the store was damaged",
    bring: ({ home }) => writeFileSync(join(home.data, "refresh", "x.json.corrupt"), "{", { mode: 0o600 }),
    undo: ({ home }) => rmSync(join(home.data, "refresh", "x.json.corrupt")),
    id: "D-16",
    found: { status: "warn", detail: says(/damaged files were moved aside: refresh\/x\.json\.corrupt/) },
    exit: 0,
  },
  {
    name: "an answer waits in the journal",
    bring: ({ home }) => {
      mkdirSync(join(home.data, "journal"), { mode: 0o700 });
      writeFileSync(join(home.data, "journal", "a".repeat(64)), "x", { mode: 0o600 });
    },
    undo: ({ home }) => rmSync(join(home.data, "journal"), { recursive: true }),
    id: "D-16",
    found: { status: "warn", detail: says(/journal, encrypted/), cure: "run: kubectl oidc token --force-refresh" },
    exit: 0,
  },
];

const onThePath: readonly Cause[] = [
  {
    name: "another copy stands before ours on the PATH",
    bring: (stage) => programNamed(stage, "kubectl-oidc"),
    env: withFolderBefore,
    undo: removeBefore,
    id: "D-01",
    found: { status: "warn", detail: says(/another copy stands before it/), cure: says(/before\/kubectl-oidc/) },
    exit: 0,
  },
  {
    name: "kubectl would start another program for kubectl oidc login",
    bring: (stage) => programNamed(stage, "kubectl-oidc-login"),
    env: withFolderBefore,
    undo: removeBefore,
    id: "D-21",
    found: { status: "warn", detail: says(/kubectl oidc login starts \S+before\/kubectl-oidc-login and not this program/), cure: says(/before\/kubectl-oidc-login/) },
    exit: 0,
  },
  {
    name: "kubelogin is left over",
    bring: (stage) => programNamed(stage, "kubectl-oidc_login"),
    env: withFolderBefore,
    undo: removeBefore,
    id: "D-21",
    found: { status: "warn", detail: says(/kubelogin is still there: \S+kubectl-oidc_login/) },
    exit: 0,
  },
  {
    name: "the stanza runs kubectl, which runs kubelogin",
    bring: (stage) => {
      programNamed(stage, "kubectl-oidc_login");
      programNamed(stage, "kubectl");
      stage.use({
        exec: { command: "kubectl", args: ["oidc-login", "get-token", `--oidc-issuer-url=${stage.issuer.issuer}`, "--oidc-client-id=kubernetes", "--token-cache-storage=disk"] },
      });
    },
    env: withFolderBefore,
    undo: (stage) => {
      removeBefore(stage);
      stage.use();
    },
    id: "D-01",
    found: { status: "warn", detail: says(/runs kubectl oidc-login, which is kubelogin .*started twice.*allow-list/), cure: "run: kubectl oidc migrate --context=prod" },
    exit: 0,
  },
  {
    name: "the binary is missing",
    bring: ({ use }) => use({ exec: { command: "/nowhere/kubectl-oidc" } }),
    undo: ({ use }) => use(),
    id: "D-01",
    found: { status: "fail", detail: says(/no such program/) },
    exit: 40,
  },
  {
    name: "the binary is not on the PATH",
    bring: ({ home }) => rmSync(join(home.folder, "bin", "kubectl-oidc")),
    id: "D-01",
    found: { status: "fail", detail: says(/kubectl cannot start kubectl-oidc: there is no such program on the PATH/), cure: says(/^put the folder of .* on the PATH/) },
    exit: 40,
  },
];

const inTheSettings: readonly Cause[] = [
  {
    name: "a variable is misspelt",
    bring: () => undefined,
    env: () => ({ KUBECTL_OIDC_ISSUERURL: "https://x.example.com" }),
    id: "D-23",
    found: {
      status: "warn",
      detail: says(/KUBECTL_OIDC_ISSUERURL is no variable of this program: did you mean KUBECTL_OIDC_ISSUER_URL/),
      cure: says(/^unset KUBECTL_OIDC_ISSUERURL/),
    },
    exit: 0,
  },
  {
    name: "a variable overrides what the stanza says",
    bring: ({ use }) => use({ exec: { env: [{ name: "KUBECTL_OIDC_MIN_VALIDITY", value: "30s" }] } }),
    env: () => ({ KUBECTL_OIDC_MIN_VALIDITY: "20s" }),
    undo: ({ use }) => use(),
    id: "D-23",
    found: { status: "warn", detail: says(/KUBECTL_OIDC_MIN_VALIDITY overrides what context prod says; kubectl uses the stanza's/), cure: "unset KUBECTL_OIDC_MIN_VALIDITY" },
    exit: 0,
  },
  {
    name: "the stanza's env runs code",
    bring: ({ use }) => use({ exec: { env: [{ name: "NODE_OPTIONS", value: "--require=/tmp/evil" }] } }),
    undo: ({ use }) => use(),
    id: "D-03",
    found: { status: "warn", detail: says(/NODE_OPTIONS in the stanza's env runs code/), cure: "run: kubectl config set-credentials oidc --exec-env=NODE_OPTIONS-" },
    exit: 0,
  },
  {
    name: "a profile's value is hidden",
    bring: ({ home, use }) => {
      mkdirSync(home.config, { recursive: true, mode: 0o700 });
      writeFileSync(join(home.config, "config.yaml"), "profiles:\n  work:\n    oidc-client-id: another\n");
      use({ args: ["--profile=work"] });
    },
    undo: ({ use }) => use(),
    id: "D-23",
    found: { status: "warn", detail: says(/oidc-client-id of the profile work does not count: context prod says something else/) },
    exit: 0,
  },
  {
    name: "the configuration file has an unknown key",
    bring: ({ home }) => {
      mkdirSync(home.config, { recursive: true, mode: 0o700 });
      writeFileSync(join(home.config, "config.yaml"), "profile: {}\n");
    },
    id: "D-23",
    found: { status: "fail", detail: says(/config\.yaml: unknown key profile/), cure: says(/did you mean profiles\?/) },
    exit: 40,
  },
  {
    name: "kuberc denies us",
    bring: ({ home }) => {
      mkdirSync(join(home.folder, "home", ".kube"), { recursive: true });
      writeFileSync(join(home.folder, "home", ".kube", "kuberc"), "credentialPluginPolicy: DenyAll\n");
    },
    undo: ({ home }) => rmSync(join(home.folder, "home", ".kube"), { recursive: true }),
    id: "D-02",
    found: { status: "fail", detail: says(/DenyAll/), cure: says(/kubectl kuberc set .*Allowlist/) },
    exit: 40,
  },
  {
    name: "kuberc is named and not there",
    bring: () => undefined,
    env: () => ({ KUBERC: "/nowhere/kuberc" }),
    id: "D-02",
    found: { status: "fail", detail: says(/KUBERC names \/nowhere\/kuberc, which cannot be read/), cure: "unset KUBERC" },
    exit: 40,
  },
];

describe("doctor finds the cause when", () => {
  it.each(causes)("$name", ({ bring, env, id, found, exit }) =>
    withSession(async (stage) => {
      await bring(stage);
      const seen = await stage.doctor(env?.(stage));
      expect(seen.of(id)).toMatchObject(found);
      expect(seen.status, seen.stdout).toBe(exit);
    })(),
  );

  it.each([
    ["the PATH", onThePath],
    ["the settings", inTheSettings],
    ["the store", inTheStore],
  ])("something is wrong with %s", (_, list) =>
    withSession(async (stage) => {
      for (const { name, bring, env, undo, id, found, exit } of list) {
        await bring(stage);
        const seen = await stage.doctor(env?.(stage));
        expect(seen.of(id), name).toMatchObject(found);
        expect(seen.status, `${name}: ${seen.stdout}`).toBe(exit);
        await undo?.(stage);
      }
    })(),
  );

  it("the issuer's private authority is missing", () =>
    onDoctorStage(async ({ use, doctor, certificates }) => {
      const issuer = await listenOnLocalhost((_, response) => response.end("{}"), certificates);
      try {
        use({ args: [`--oidc-issuer-url=${issuer.origin}`] });
        const found = await doctor();
        expect(found.of("D-04")).toMatchObject({ status: "fail", detail: says(/certificate of localhost:\d+ is not trusted/), cure: says(/--certificate-authority=FILE/) });
        use({ args: [`--oidc-issuer-url=${issuer.origin}`, `--certificate-authority=${certificates.caFile}`] });
        const known = await doctor();
        expect(known.of("D-04").detail).not.toContain("trusted");
        expect(known.of("D-17").detail).toContain(certificates.caFile);
      } finally {
        await issuer.stop();
      }
    }));

  it("a proxy is in the way: that is what to begin with", () =>
    onDoctorStage(async ({ home, use }) => {
      use({ args: ["--oidc-issuer-url=https://id.example.invalid"] });
      const { stdout } = await home.run(["doctor"], { HTTPS_PROXY: "http://ann:proxy-secret-value@127.0.0.1:9", PATH: join(home.folder, "bin") });
      expect(stdout).toMatch(/most likely: D-17 proxies and authorities: .* is reached through the proxy 127\.0\.0\.1:9, and cannot be reached/);
      expect(stdout).not.toContain("proxy-secret-value");
    }));

  it("port 8000 is taken", () =>
    onDoctorStage(async ({ use, doctor }) => {
      const other = createServer();
      // Taken by whatever else runs here is taken too.
      await new Promise<void>((done) => {
        other.once("error", () => done());
        other.listen(8000, "127.0.0.1", done);
      });
      try {
        use({ listen: [] });
        const found = (await doctor()).of("D-18");
        expect(["warn", "fail"]).toContain(found.status);
        expect(found).toMatchObject({ detail: says(/taken: 127\.0\.0\.1:8000/), cure: says(/ss -ltnp sport = :8000|lsof .*8000|findstr :8000/) });
      } finally {
        other.close();
      }
    }));

  it("only the other family of a callback port is taken", async (context) => {
    const other = createServer();
    const isThere = await new Promise<boolean>((done) => {
      other.once("error", () => done(false));
      other.listen(0, "::1", () => done(true));
    });
    if (!isThere) return context.skip();
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      await onDoctorStage(async ({ use, doctor }) => {
        use({ listen: [`127.0.0.1:${port}`] });
        expect((await doctor()).of("D-18")).toMatchObject({ status: "fail", detail: says(new RegExp(`EADDRINUSE \\[::1\\]:${port}`)) });
      });
    } finally {
      other.close();
    }
  });

  it("the callback port is taken", () =>
    onDoctorStage(async ({ use, doctor }) => {
      const other = createServer();
      await new Promise<void>((listening) => other.listen(0, "127.0.0.1", listening));
      const address = other.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      try {
        use({ listen: [`127.0.0.1:${port}`] });
        const found = await doctor();
        expect(found.of("D-18")).toMatchObject({ status: "fail", detail: says(new RegExp(`127\\.0\\.0\\.1:${port}`)) });
        use({ listen: [`127.0.0.1:${port}`, "127.0.0.1:0"] });
        expect((await doctor()).of("D-18").status).toBe("warn");
      } finally {
        other.close();
      }
    }));
});
