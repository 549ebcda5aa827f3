import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeJwt } from "../../src/core/id-token.ts";
import { cluster, machineGrant, type ProofStage, proofStage } from "./client-proof-stage.ts";
import { credentialOf, errorCode } from "./program.ts";

let stage: ProofStage;
beforeAll(async () => {
  stage = await proofStage();
}, 60_000);
afterAll(() => stage.stop());

const tokenRequests = () => stage.provider.requests.filter(({ route }) => route === "token");
const claimsOf = (token: string) => decodeJwt(token)?.claims ?? {};
const at = (name: string) => join(stage.home.folder, name);

describe("client-credentials", () => {
  it.each(["pkcs8", "jwk"] as const)("with a key of the client (%s): private_key_jwt [K-01, K-08]", async (form) => {
    const ended = await stage.home.run(["get-token", ...stage.session("signer", ...machineGrant, `--client-key-file=${stage.keyFiles[form]}`, "--force-refresh")]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(claimsOf(credentialOf(ended).status.token)).toMatchObject({ sub: "signer", aud: cluster });
    expect(tokenRequests().at(-1)?.parameters).toEqual(expect.arrayContaining(["client_assertion", "client_assertion_type"]));
  });

  it.each(["machine", "self"])("with a certificate of the client %s: mutual TLS [K-06]", async (client) => {
    const ended = await stage.home.run([
      "get-token",
      ...stage.session(client, ...machineGrant, `--client-certificate=${at(`${client}.pem`)}`, `--client-key=${at(`${client}.key`)}`),
    ]);
    expect(ended.status, ended.stderr).toBe(0);
    expect(claimsOf(credentialOf(ended).status.token)["sub"]).toBe(client);
    expect(tokenRequests().at(-1)?.parameters).not.toContain("client_assertion");
  });

  it("without what the issuer wants of the client: CLIENT_REJECTED", async () => {
    for (const more of [[], [`--client-certificate=${at("self.pem")}`, `--client-key=${at("self.key")}`]]) {
      const ended = await stage.home.run(["get-token", ...stage.session("machine", ...machineGrant, "--token-cache-dir=other", ...more)]);
      expect([ended.status, errorCode(ended)], ended.stderr).toEqual([30, "CLIENT_REJECTED"]);
    }
  });
});

describe("a person's login with a client that has a key", () => {
  it("proves the client at the code, at each refresh and at the logout [K-01, B-06]", async () => {
    const session = stage.session("signer", `--client-key-file=${stage.keyFiles.pkcs8}`, "--client-key-id=k1");
    const first = await stage.logIn(["get-token", ...session]);
    expect(first.status, first.stderr).toBe(0);
    const refreshed = await stage.home.run(["get-token", ...session, "--force-refresh"]);
    expect(refreshed.status, refreshed.stderr).toBe(0);
    expect(claimsOf(credentialOf(refreshed).status.token)["sub"]).toBe("alice");
    const out = await stage.home.run(["logout", ...session]);
    expect([out.status, out.stderr]).toEqual([0, expect.not.stringContaining("warning")]);
    const proven = stage.provider.requests.filter(({ route }) => route === "token" || route === "revocation").slice(-3);
    expect(proven.map(({ route, grantType, status }) => [route, grantType, status])).toEqual([
      ["token", "authorization_code", 200],
      ["token", "refresh_token", 200],
      ["revocation", undefined, 200],
    ]);
    for (const { parameters } of proven) expect(parameters).toContain("client_assertion");
  });
});

describe("a file that cannot be used", () => {
  it.each<[string, () => readonly string[], string]>([
    ["no key", () => [`--client-key-file=${stage.file("none.pem", "client-secret-in-a-file")}`], "client-key-file"],
    ["a public key", () => [`--client-key-file=${at("machine.pem")}`], "client-key-file"],
    ["one that is not there", () => [`--client-key-file=${at("missing")}`], "client-key-file"],
    ["the key of another certificate", () => [`--client-certificate=${at("machine.pem")}`, `--client-key=${at("self.key")}`], "client-key"],
  ])("%s: SETTINGS_INVALID with the option, before any request, in three lines", async (_, more, option) => {
    const before = stage.provider.requests.length;
    const ended = await stage.home.run(["get-token", ...stage.session("signer", ...machineGrant, "--token-cache-dir=other", ...more())]);
    expect([ended.status, errorCode(ended), ended.stdout]).toEqual([40, "SETTINGS_INVALID", ""]);
    expect(ended.stderr).toContain(`--${option}`);
    expect(ended.stderr).not.toContain("client-secret-in-a-file");
    expect(ended.stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(3);
    expect(stage.provider.requests.length).toBe(before);
  });

  it("ends no session: the next refresh with the right one goes on", async () => {
    const session = (key: string) => stage.session("signer", `--client-key-file=${key}`, "--account=alice", "--token-cache-dir=kept");
    await stage.logIn(["get-token", ...session(stage.keyFiles.pkcs8)]);
    const refused = await stage.home.run(["get-token", ...session(at("machine.key")), "--force-refresh", "-v1"]);
    // Another client's key: the issuer refuses the client, nobody is logged out, and the token is still good.
    expect([refused.status, refused.stderr]).toEqual([0, expect.stringContaining("the issuer rejected this client")]);
    const before = stage.provider.count("token", "refresh_token");
    const again = await stage.home.run(["get-token", ...session(stage.keyFiles.pkcs8), "--force-refresh"]);
    expect([again.status, again.stderr]).toEqual([0, ""]);
    expect(stage.provider.count("token", "refresh_token")).toBe(before + 1);
  });

  it.skipIf(process.platform === "win32")("a key that everybody can read is warned about when a request is made, and not on a cached answer", async () => {
    const open = stage.file("open.key", readFileSync(stage.keyFiles.pkcs8, "utf8"), 0o644);
    const session = stage.session("signer", ...machineGrant, `--client-key-file=${open}`, "--token-cache-dir=warned");
    const first = await stage.home.run(["get-token", ...session]);
    expect([first.status, first.stderr.match(/warning: everybody on this computer can read the private key/g)?.length]).toEqual([0, 1]);
    expect((await stage.home.run(["get-token", ...session])).stderr).toBe("");
  });
});

describe("where options meet", () => {
  it("a key and a secret on one command line: FLAG_CONFLICT; a key that is typed replaces the secret of a variable", async () => {
    const key = `--client-key-file=${stage.keyFiles.pkcs8}`;
    const both = await stage.home.run(["get-token", ...stage.session("signer", ...machineGrant, key, `--oidc-client-secret-file=${at("machine.key")}`)]);
    expect([both.status, errorCode(both)]).toEqual([2, "FLAG_CONFLICT"]);
    const typed = await stage.home.run(["get-token", ...stage.session("signer", ...machineGrant, key, "--force-refresh")], {
      KUBECTL_OIDC_CLIENT_SECRET: "a-secret-of-the-environment",
    });
    expect(typed.status, typed.stderr).toBe(0);
    expect(tokenRequests().at(-1)?.parameters).not.toContain("client_secret");
  });

  it("variables of the environment say it as flags do", async () => {
    const ended = await stage.home.run(["get-token", ...stage.session("machine", ...machineGrant, "--token-cache-dir=variables")], {
      KUBECTL_OIDC_CLIENT_CERTIFICATE: at("machine.pem"),
      KUBECTL_OIDC_CLIENT_KEY: at("machine.key"),
    });
    expect(ended.status, ended.stderr).toBe(0);
  });
});

describe("doctor", () => {
  const d06 = async (...args: readonly string[]) => {
    const { stdout } = await stage.home.run(["doctor", ...args, "-o", "json"]);
    return (JSON.parse(stdout) as { readonly checks: readonly { readonly id: string; readonly status: string; readonly detail: string }[] }).checks.find(({ id }) => id === "D-06");
  };
  it("says how the client proves itself, and what is wrong with its files (D-06)", async () => {
    expect(await d06(...stage.session("signer", `--client-key-file=${stage.keyFiles.jwk}`))).toMatchObject({ status: "ok", detail: "private_key_jwt, signed with ES256" });
    const certificate = (client: string) => [`--client-certificate=${at("machine.pem")}`, `--client-key=${at(`${client}.key`)}`];
    expect(await d06(...stage.session("machine", ...certificate("machine")))).toMatchObject({
      status: "warn",
      detail: expect.stringMatching(/certificate expires in [01] days?$/),
    });
    expect(await d06(...stage.session("signer", `--client-key-file=${at("missing")}`))).toMatchObject({ status: "fail", detail: expect.stringContaining("--client-key-file") });
    expect(await d06(...stage.session("machine", ...certificate("self")))).toMatchObject({ status: "fail", detail: expect.stringContaining("--client-key") });
  });
});

describe("setup", () => {
  it("writes the files' places into the stanza, absolute, and nothing of what is in them", async () => {
    const server = { server: "https://k8s.example.com" };
    stage.file(
      "kubeconfig",
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "c", cluster: server }],
        users: [],
        contexts: [{ name: "prod", context: { cluster: "c", user: "u" } }],
        "current-context": "prod",
      }),
    );
    const stanzaOf = async (...more: readonly string[]) => {
      const ended = await stage.home.run(["setup", "--context=prod", "--dry-run", "-o", "json", ...stage.session("signer", ...more)]);
      expect(ended.status, ended.stderr).toBe(0);
      return ended.stdout;
    };
    const keyed = await stanzaOf("--client-key-file=signer.key", "--client-key-id=k1", "--par=always");
    for (const arg of [`--client-key-file=${stage.keyFiles.pkcs8}`, "--client-key-id=k1", "--par=always"]) expect(keyed).toContain(JSON.stringify(arg).slice(1, -1));
    expect(keyed).not.toContain("PRIVATE KEY");
    const certified = await stanzaOf("--client-certificate=machine.pem", "--client-key=machine.key");
    for (const name of ["certificate", "key"]) expect(certified).toContain(`--client-${name}=${at(name === "key" ? "machine.key" : "machine.pem")}`);
  });
});
