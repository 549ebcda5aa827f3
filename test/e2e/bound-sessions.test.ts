import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { confirmDevice } from "../issuer/scripted-browser.ts";
import { decodeJwt } from "../../src/core/id-token.ts";
import { accounts } from "../issuer/accounts.ts";
import { credentialOf } from "./program.ts";
import { hasKubectl, type ProviderStage, startProviderStage } from "./provider-stage.ts";

let stage: ProviderStage;
beforeAll(async () => {
  const nonceSecret = randomBytes(32);
  stage = await startProviderStage({ features: { dPoP: { enabled: true, nonceSecret, requireNonce: () => true } } });
  stage.writeContexts({ prod: { options: ["--account=alice@example.com", "--dpop=always"] } });
});
afterAll(() => stage.stop());

const refreshes = () => stage.provider.requests.filter(({ route, grantType, status }) => route === "token" && grantType === "refresh_token" && status === 200).length;

/** As a thief would send it: the token, without its key. */
function spend(refreshToken: string): Promise<string> {
  const body = new URLSearchParams({ grant_type: "refresh_token", client_id: "kubernetes", refresh_token: refreshToken }).toString();
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${stage.provider.issuer}/token`,
      { method: "POST", rejectUnauthorized: false, headers: { "content-type": "application/x-www-form-urlencoded" } },
      (answer) => resolve(text(answer)),
    );
    outgoing.on("error", reject).end(body);
  });
}

describe.skipIf(!hasKubectl)(`a session that is bound to a key, at an issuer that demands nonces${hasKubectl ? "" : " (kubectl is not on the PATH)"}`, () => {
  it("logs in and gets the pods", async () => {
    const first = await stage.kubectl(["get", "pods"]);
    expect(first.status, first.stderr).toBe(0);
    expect(first.stdout).toContain("web-5d8f");
    expect(stage.items()[0]?.dpopKey).toContain('"crv":"P-256"');
    expect((await stage.home.run(["status"])).stdout).toContain("disk, bound to a key");
  });

  it("is refreshed by other processes, one refresh for all of them, with the key that is stored", async () => {
    const before = refreshes();
    const calls = await Promise.all(Array.from({ length: 5 }, () => stage.home.run(["token", "--context=prod", "--force-refresh"])));
    for (const call of calls) expect(call.status, call.stderr).toBe(0);
    expect(new Set(calls.map(({ stdout }) => stdout)).size).toBe(refreshes() - before);
    const [item] = stage.items();
    expect((await stage.home.run(["token", "--context=prod", "--force-refresh"])).status).toBe(0);
    expect(stage.items()[0]?.dpopKey).toBe(item?.dpopKey);
    expect(stage.items()[0]?.refreshToken).not.toBe(item?.refreshToken);
  });

  it("is worth nothing to a thief of the refresh token alone", async () => {
    expect(JSON.parse(await spend(stage.items()[0]?.refreshToken ?? ""))).toMatchObject({ error: "invalid_grant" });
    const after = await stage.home.run(["token", "--context=prod", "--force-refresh"]);
    expect(after.status, after.stderr).toBe(0);
  });

  it("is not made where another context of the same session wants a token for an audience, which must not be bound [DP-07]", async () => {
    const bob = "--account=bob@example.com";
    stage.writeContexts({ daily: { options: [bob] }, narrow: { options: [bob, "--oidc-audience=urn:example:narrow"] } });
    const first = await stage.kubectl(["--context=daily", "get", "pods"]);
    expect(first.status, first.stderr).toBe(0);
    expect(stage.items().find(({ subject }) => subject === "bob")).not.toHaveProperty("dpopKey");
    const narrow = await stage.home.run(["token", "--context=narrow"]);
    expect(narrow.status, narrow.stderr).toBe(0);
    expect(decodeJwt(narrow.stdout.trim())?.claims).toMatchObject({ aud: "urn:example:narrow" });
    expect(decodeJwt(narrow.stdout.trim())?.claims).not.toHaveProperty("cnf");
  });

  it("comes of a device code too", async () => {
    const device = stage.home.start(["get-token", ...stage.options, "--token-cache-dir=device", "--grant-type=device-code", "--dpop=always", "--skip-open-browser"]);
    const [, url = ""] = await device.sees(/or open (\S+) and check/);
    await confirmDevice(url, { ca: readFileSync(stage.caFile, "utf8"), account: "alice", password: accounts.alice.password });
    credentialOf(await device.ended);
    const again = await stage.home.run(["get-token", ...stage.options, "--token-cache-dir=device", "--force-refresh", "--non-interactive"]);
    credentialOf(again);
  });
});
