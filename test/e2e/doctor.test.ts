import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { changeJson, onlyFor } from "../issuer/misbehaviours.ts";
import { oauthError } from "../issuer/issuer-answer.ts";
import { type DoctorStage, type Found, onDoctorStage } from "./doctor-stage.ts";

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
      expect(found.checks.map(({ id }) => id)).toEqual(Array.from({ length: 22 }, (_, i) => `D-${String(i + 1).padStart(2, "0")}`));
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
        .replaceAll(/^.*D-22.*\n(?: {13}cure.*\n)?/gm, "")
        .replaceAll(/[\d.]+ KiB/g, "SIZE")
        .replaceAll(/\d+ with a warning/g, "N with a warning");
      await expect(shown).toMatchFileSnapshot(resolve(import.meta.dirname, "../golden/doctor.txt"));
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
      const json = await doctor();
      const text = await home.run(["doctor", "-v8"]);
      for (const secret of issuer.secrets) expect(`${json.stdout}${json.stderr}${text.stdout}${text.stderr}`.includes(secret)).toBe(false);
    }),
  );
});

/** A cause, what brings it about, the check that finds it, and its words. */
interface Cause {
  readonly name: string;
  readonly bring: (stage: DoctorStage) => unknown;
  readonly env?: (stage: DoctorStage) => Readonly<Record<string, string>>;
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
    name: "the issuer is configured with a trailing slash",
    bring: ({ use, issuer }) => use({ args: [`--oidc-issuer-url=${issuer.issuer}/`] }),
    id: "D-04",
    found: { status: "fail", detail: says(/names the issuer http:\/\/localhost:\d+, not http:\/\/localhost:\d+\//), cure: says(/--oidc-issuer-url=http:\/\/localhost:\d+$/) },
    exit: 30,
  },
  {
    name: "the audience is wrong for the server",
    bring: ({ api }) => {
      api.answer = 401;
    },
    id: "D-14",
    found: { status: "fail", detail: says(/refuses the token \(401\).*another audience than kubernetes/) },
    exit: 40,
  },
  {
    name: "the server trusts another issuer",
    bring: ({ api }) => {
      api.answer = 401;
    },
    id: "D-14",
    found: { status: "fail", detail: says(/another issuer than http:\/\/localhost:\d+ \(byte for byte\)/), cure: says(/AuthenticationConfiguration/) },
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
    name: "another copy stands before ours on the PATH",
    bring: ({ home }) => {
      mkdirSync(join(home.folder, "before"));
      writeFileSync(join(home.folder, "before", "kubectl-oidc"), "#!/bin/sh\n", { mode: 0o755 });
    },
    env: ({ home }) => ({ PATH: `${join(home.folder, "before")}:${join(home.folder, "bin")}:${home.env["PATH"]}` }),
    id: "D-01",
    found: { status: "warn", detail: says(/another copy stands before it/), cure: says(/before\/kubectl-oidc/) },
    exit: 0,
  },
  {
    name: "the binary is missing",
    bring: ({ use }) => use({ exec: { command: "/nowhere/kubectl-oidc" } }),
    id: "D-01",
    found: { status: "fail", detail: says(/no such program/) },
    exit: 40,
  },
  {
    name: "kuberc denies us",
    bring: ({ home }) => {
      mkdirSync(join(home.folder, "home", ".kube"), { recursive: true });
      writeFileSync(join(home.folder, "home", ".kube", "kuberc"), "credentialPluginPolicy: DenyAll\n");
    },
    id: "D-02",
    found: { status: "fail", detail: says(/DenyAll/), cure: says(/kubectl kuberc set .*Allowlist/) },
    exit: 40,
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
    found: { status: "fail", detail: says(/client certificate too/), cure: says(/remove the client certificate/) },
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
