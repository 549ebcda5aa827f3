import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeJwt } from "../../src/core/id-token.ts";
import { machineGrant, type ProofStage, proofStage } from "./client-proof-stage.ts";
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
    expect(claimsOf(credentialOf(ended).status.token)).toMatchObject({ sub: "signer", aud: "kubernetes" });
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
