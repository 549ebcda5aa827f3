import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { preloaded } from "../../e2e/program.ts";
import { type Certificates, makeCertificates } from "../../issuer/certificates.ts";
import { type Behaviour, type Misbehaving, startMisbehaving } from "../../issuer/misbehaving.ts";
import { changeJson } from "../../issuer/misbehaviours.ts";
import { newPerson, type Person } from "../person.ts";
import { describeWith } from "../with-parts.ts";
import { type RealCluster, startCluster } from "./real-cluster.ts";
import { parsed } from "./stage.ts";

interface Check {
  readonly id: string;
  readonly status: string;
  readonly detail: string;
}

const hour = 3600;
const now = () => Math.floor(Date.now() / 1000);

/** What makes the API server refuse a token that we take, what its log calls that, and where doctor says so. */
interface Refusal {
  readonly issuer: Behaviour;
  /** What the cluster was set up with, where it was not with the person's own options. */
  readonly cluster?: readonly string[];
  /** Seconds that the person's clock is wrong by. */
  readonly clock?: number;
  readonly serverSays: RegExp;
  readonly doctor: { readonly [id: string]: { readonly status: string; readonly detail: RegExp } };
}

const refusals: Readonly<Record<string, Refusal>> = {
  "for another audience than the server's": {
    issuer: {},
    cluster: ["--oidc-client-id=another-client"],
    serverSays: /expected audience|audience in \[/,
    doctor: { "D-14": { status: "fail", detail: /or another audience than kubernetes/ } },
  },
  "whose e-mail address is not verified, at a server that takes it as user name": {
    issuer: { idToken: { claims: { email_verified: false } } },
    cluster: ["--username-claim=email"],
    serverSays: /email not verified/,
    doctor: { "D-09": { status: "warn", detail: /email_verified/ }, "D-14": { status: "fail", detail: /likely: email_verified is false/ } },
  },
  "that has expired, while the person's clock is an hour behind": {
    issuer: { idToken: () => ({ claims: { iat: now() - hour, nbf: undefined, exp: now() - 600 } }) },
    clock: -hour,
    serverSays: /token is expired/,
    doctor: { "D-13": { status: "fail", detail: /clock|behind/ }, "D-14": { status: "fail", detail: /behind|clock/ } },
  },
  "that is signed with EdDSA": {
    issuer: { idToken: { alg: "EdDSA" }, discovery: changeJson({ id_token_signing_alg_values_supported: ["RS256", "EdDSA"] }) },
    serverSays: /unsupported algorithm|unexpected signature algorithm|signed with unsupported|failed to verify/,
    doctor: { "D-07": { status: "fail", detail: /EdDSA/ }, "D-14": { status: "fail", detail: /EdDSA/ } },
  },
};

describeWith(["kube-apiserver", "kubectl-newest", "etcd"], (parts) => {
  let folder: string;
  let certificates: Certificates;
  let issuer: Misbehaving;
  let cluster: RealCluster;
  let person: Person;
  const kubectl = parts["kubectl-newest"].path;

  const newPersonHere = () => {
    const one = newPerson({ DEMO_CA_FILE: certificates.caFile });
    one.writeContext(cluster.server, certificates.caFile);
    symlinkSync(kubectl, join(dirname(one.plugin), "kubectl"));
    return one;
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-refusals-"));
    certificates = await makeCertificates(folder);
    issuer = await startMisbehaving({}, { certificates });
    cluster = await startCluster(parts, join(folder, "cluster"), certificates);
  });
  beforeEach(() => {
    person = newPersonHere();
    return () => person.remove();
  });
  afterAll(async () => {
    await cluster?.stop();
    await issuer.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const identity = () => [
    `--oidc-issuer-url=${issuer.issuer}`,
    "--oidc-client-id=kubernetes",
    `--certificate-authority=${certificates.caFile}`,
    "--token-cache-storage=disk",
    "--listen-address=127.0.0.1:0",
  ];
  const setUpCluster = async (more: readonly string[] = []) => {
    const plan = await person.oidc("setup", ...identity(), ...more, "--dry-run", "-o", "json");
    await cluster.reconfigure(parsed<{ readonly administrator: { readonly authenticationConfiguration: string } }>(plan).administrator.authenticationConfiguration);
  };
  const clockOff = (seconds: number | undefined): Readonly<Record<string, string>> => {
    if (seconds === undefined) return {};
    const file = join(folder, "clock.cjs");
    writeFileSync(
      file,
      `const real = Date; const off = ${seconds * 1000};
globalThis.Date = class extends real { constructor(...args) { if (args.length === 0) super(real.now() + off); else super(...args); } static now() { return real.now() + off; } };`,
    );
    return preloaded(file);
  };
  const checks = async (env: Readonly<Record<string, string>> = {}) => {
    const { stdout, stderr } = await person.run(person.plugin, ["doctor", "-o", "json"], env);
    expect(stdout, stderr).not.toBe("");
    return (JSON.parse(stdout) as { readonly checks: readonly Check[] }).checks;
  };

  it.each(Object.entries(refusals))("a token %s is refused by the server, for that reason, and doctor names it", async (_, refusal) => {
    issuer.become(refusal.issuer);
    await setUpCluster(refusal.cluster);
    const env = clockOff(refusal.clock);
    const setup = await person.run(person.plugin, ["setup", ...identity(), "--yes"], env);
    expect(setup.status, setup.stderr).toBe(0);
    expect(setup.stderr).toContain("does not accept the token yet (401)");
    const from = cluster.log().length;
    const ran = await person.run(kubectl, ["get", "namespaces"], env);
    expect(ran.status).not.toBe(0);
    expect(ran.stderr).toMatch(/Unauthorized|must be logged in/);
    expect(cluster.log().slice(from)).toMatch(refusal.serverSays);
    const found = await checks(env);
    for (const [id, { status, detail }] of Object.entries(refusal.doctor))
      expect(
        found.find((check) => check.id === id),
        id,
      ).toMatchObject({ status, detail: expect.stringMatching(detail) });
    expect(issuer.count("token", "authorization_code") > 0).toBe(true);
  });

  it("a token whose key the issuer took away is refused once the server has the new keys, and doctor names the key", async () => {
    issuer.become({ refreshTokens: "none" });
    await setUpCluster();
    const setup = await person.oidc("setup", ...identity(), "--yes");
    expect(setup.stderr).toContain("the API server sees oidc:alice");
    await issuer.rotateKeys();
    const other = newPersonHere();
    const fresh = await other.oidc("setup", ...identity(), "--yes");
    other.remove();
    expect(fresh.stderr).toContain("the API server sees oidc:alice");
    // The server remembers for ten seconds that it took a token. Without CI a browser would open: there is nothing to refresh with.
    await expect
      .poll(async () => (await person.run(kubectl, ["get", "namespaces"], { CI: "true" })).stderr, { timeout: 40_000, interval: 500 })
      .toMatch(/Unauthorized|must be logged in/);
    const found = await checks();
    expect(found.find(({ id }) => id === "D-12")).toMatchObject({ status: "warn", detail: expect.stringContaining("the issuer has replaced it") });
    expect(found.find(({ id }) => id === "D-14")).toMatchObject({ status: "fail", detail: expect.stringMatching(/likely: .*the issuer has replaced it/) });
  });

  describe("what this program takes for no ID token, the server refuses as well", () => {
    /** What is wrong with the token, as it can be read there, and what the server's log says of it. */
    interface Forged {
      readonly idToken: NonNullable<Behaviour["idToken"]>;
      readonly holds: (token: { readonly header: Readonly<Record<string, unknown>>; readonly claims: Readonly<Record<string, unknown>> }) => boolean;
      readonly serverSays: RegExp;
    }
    const forged: Readonly<Record<string, Forged>> = {
      "without a signature": { idToken: { alg: "none" }, holds: ({ header }) => header["alg"] === "none", serverSays: /signed with unsupported algorithm.* got \\"none\\"/ },
      "signed with the client's own secret": {
        idToken: { alg: "HS256" },
        holds: ({ header }) => header["alg"] === "HS256",
        serverSays: /signed with unsupported algorithm.* got \\"HS256\\"/,
      },
      // Nothing in it but its signature tells.
      "signed by a stranger": { idToken: { key: "stranger" }, holds: ({ header }) => header["alg"] === "ES256", serverSays: /failed to verify id token signature/ },
      // The server has nobody to ask about it, and names no reason.
      "of another issuer": {
        idToken: { claims: { iss: "https://elsewhere.example" } },
        holds: ({ claims }) => claims["iss"] === "https://elsewhere.example",
        serverSays: /err="invalid bearer token"/,
      },
      "for another client": {
        idToken: { claims: { aud: "another-client" } },
        holds: ({ claims }) => claims["aud"] === "another-client",
        serverSays: /expected audience \\"kubernetes\\" got \[\\"another-client\\"\]/,
      },
      "that has expired": {
        idToken: () => ({ claims: { exp: now() - 600 } }),
        holds: ({ claims }) => Number(claims["exp"]) < now(),
        serverSays: /token is expired \(Token Expiry: 2/,
      },
      "without an expiry": { idToken: { claims: { exp: undefined } }, holds: ({ claims }) => !("exp" in claims), serverSays: /token is expired \(Token Expiry: 0001-01-01/ },
      "without a subject": { idToken: { claims: { sub: undefined } }, holds: ({ claims }) => !("sub" in claims), serverSays: /parse username claims \\"sub\\": claim not present/ },
    };
    /** The ID token that was handed out last: access token, ID token and refresh token lie there in this order. */
    const lastIdToken = () => {
      const raw = issuer.secrets.at(-2) ?? "";
      const [header = {}, claims = {}] = raw.split(".", 2).map((part) => JSON.parse(Buffer.from(part, "base64url").toString()) as Readonly<Record<string, unknown>>);
      return { raw, header, claims };
    };
    it.each(Object.entries(forged))("a token %s, for that reason", async (_, { idToken, holds, serverSays }) => {
      issuer.become({ idToken });
      await setUpCluster();
      const login = await person.oidc("setup", ...identity(), "--yes");
      expect(login.stderr).toMatch(/\[ID_TOKEN_INVALID\]/);
      const token = lastIdToken();
      // An access token has no nonce.
      expect(token.claims["nonce"]).toMatch(/./);
      expect(holds(token), JSON.stringify([token.header, token.claims])).toBe(true);
      const from = cluster.log().length;
      const ran = await person.run(kubectl, [
        "get",
        "namespaces",
        "--kubeconfig=/dev/null",
        `--server=${cluster.server}`,
        `--certificate-authority=${certificates.caFile}`,
        `--token=${token.raw}`,
      ]);
      expect(ran.status).not.toBe(0);
      expect(ran.stderr).toMatch(/Unauthorized|must be logged in/);
      expect(cluster.log().slice(from)).toMatch(serverSays);
    });
  });
});
