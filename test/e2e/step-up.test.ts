import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeJwt } from "../../src/core/id-token.ts";
import { hasKubectl, type ProviderStage, startProviderStage } from "./provider-stage.ts";

const mfa = "urn:example:mfa";
let stage: ProviderStage;
beforeAll(async () => {
  stage = await startProviderStage({ extraConfig: { acrValues: [mfa] } });
  // One user for both; the cluster of the second asks for more.
  stage.writeContexts({ prod: { options: ["--account=alice@example.com"] }, "prod-admin": { user: "prod", config: { "acr-values": mfa, "max-age": 900 } } });
});
afterAll(() => stage.stop());

const acrOf = async (context: string) => {
  const ended = await stage.home.run(["token", `--context=${context}`]);
  expect(ended.status, ended.stderr).toBe(0);
  return decodeJwt(ended.stdout.trim())?.claims["acr"];
};
const logins = () => stage.provider.count("token", "authorization_code");

describe.skipIf(!hasKubectl)(`one user, two contexts, one of which wants a stronger login${hasKubectl ? "" : " (kubectl is not on the PATH)"}`, () => {
  it("asks for it there only, and leaves the other's session alone", async () => {
    const first = await stage.kubectl(["--context", "prod", "get", "pods"]);
    expect(first.status, first.stderr).toBe(0);
    expect(logins()).toBe(1);
    expect(await acrOf("prod")).toBeUndefined();
    const [before] = stage.items();
    const stepped = await stage.kubectl(["--context", "prod-admin", "get", "pods"]);
    expect(stepped.status, stepped.stderr).toBe(0);
    expect(logins()).toBe(2);
    expect(await acrOf("prod-admin")).toBe(mfa);
    expect(await acrOf("prod")).toBeUndefined();
    expect(stage.items()).toContainEqual(before);
  });

  it("works on in both without another login, also when the tokens are made anew", async () => {
    for (const context of ["prod", "prod-admin"]) {
      const ended = await stage.home.run(["token", `--context=${context}`, "--force-refresh"]);
      expect(ended.status, ended.stderr).toBe(0);
      expect((await stage.kubectl(["--context", context, "get", "pods"])).status).toBe(0);
    }
    expect(await acrOf("prod-admin")).toBe(mfa);
    expect(logins()).toBe(2);
  });

  it("ends by itself: a logout there is none here", async () => {
    const out = await stage.home.run(["logout", "--context=prod-admin"]);
    expect(out.status, out.stderr).toBe(0);
    expect((await stage.kubectl(["--context", "prod", "get", "pods"])).status).toBe(0);
    expect(logins()).toBe(2);
  });
});
