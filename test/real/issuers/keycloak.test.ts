import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { credentialOf, errorCode } from "../../e2e/program.ts";
import { blockOf } from "../../docs/fenced-blocks.ts";
import { describeWith } from "../with-parts.ts";
import { provesEveryPromise } from "./any-issuer.ts";
import { type Caller, claimsOf, newCaller } from "./caller.ts";
import { onceStarted } from "./once-started.ts";
import { provesThePage, realCluster, smallCluster } from "./page-proof.ts";
import { runPage } from "./page.ts";
import { type KeycloakServer, startKeycloak } from "./keycloak-server.ts";

let server: KeycloakServer;
let caller: Caller;
const stage = { issuer: () => server, caller: () => caller };
const seen = { page: "keycloak", username: "oidc:alice", groups: ["oidc:admins", "oidc:developers"] };

/** One server for all of them: it takes long to start. */
const run = onceStarted(startKeycloak);
beforeEach(() => {
  caller = newCaller(server, "--oidc-extra-scope=groups");
});
afterEach(() => caller.remove());

describeWith(["keycloak", "kubectl"], (parts) => {
  beforeAll(async () => {
    server = await run(parts.keycloak.path);
  }, 540_000);

  provesEveryPromise(stage, {
    claims: { preferred_username: "alice", email: "alice@example.com", groups: expect.arrayContaining(["admins", "developers"]) },
    hasDeviceGrant: true,
    revokes: true,
  });
  provesThePage({ ...stage, ...seen, kubectl: parts.kubectl, cluster: () => smallCluster(server, "keycloak") });

  it("the realm's offline_access goes to who has the role; who has not gets an ordinary session, and that is said", async () => {
    const offline = await caller.logIn();
    expect(offline.stderr).not.toContain("refused offline_access");
    expect(claimsOf(caller.refreshToken())).toMatchObject({ typ: "Offline" });
    credentialOf(await caller.refresh());
    expect((await caller.run("logout")).status).toBe(0);
    const ordinary = await caller.logInTwice(server.bob);
    expect(ordinary.status, ordinary.stderr).toBe(0);
    expect(ordinary.stderr).toContain("refused offline_access; logging in again without it");
    expect(claimsOf(caller.refreshToken())).toMatchObject({ typ: "Refresh" });
    for (let i = 0; i < 3; i++) credentialOf(await caller.refresh());
  });

  it("a spent refresh token, sent by a copy of the store, ends the session for both; the next login is whole again", async () => {
    await caller.logIn();
    const copy = caller.copyStore();
    credentialOf(await caller.refresh());
    const newest = caller.copyStore();
    caller.putBack(copy);
    const stolen = await caller.refresh();
    expect([stolen.status, errorCode(stolen)]).toEqual([20, "SESSION_REVOKED"]);
    caller.putBack(newest);
    expect(errorCode(await caller.refresh())).toBe("SESSION_REVOKED");
    credentialOf(await caller.logIn(server.alice, "--force-refresh"));
    credentialOf(await caller.refresh());
  });

  it("who says no to the device's code is told that the login was denied, and nothing is stored", async () => {
    const login = await caller.logInByCode(server.alice, true);
    expect([login.status, errorCode(login)], login.stderr).toEqual([20, "LOGIN_DENIED"]);
    expect(errorCode(await caller.refresh())).toBe("LOGIN_REQUIRED");
  });

  it("a machine's client logs in by its secret, in a file", async () => {
    writeFileSync(join(caller.home.folder, "pipeline.secret"), server.pipelineSecret, { mode: 0o600 });
    caller.home.holdsSecrets("pipeline.secret");
    const token = await runPage(caller, server, blockOf("keycloak.md", "keycloak-machine"));
    expect(token.status, token.stderr).toBe(0);
    expect(claimsOf(token.stdout.trim())).toMatchObject({ aud: "pipeline", preferred_username: "service-account-pipeline" });
  });

  describe("what stricter clients demand", () => {
    let strict: Caller;
    afterEach(() => strict?.remove());

    it("pushed authorization requests, which the client requires and the realm does not tell: --par=always logs in, and refreshes", async () => {
      strict = newCaller({ ...server, clientId: "kubernetes-par" }, "--oidc-extra-scope=groups", "--par=always");
      const started = await strict.logIn();
      expect(started.stderr).toMatch(/[?&]request_uri=urn/);
      credentialOf(await strict.refresh());
    });

    it("the machine's client exchanges another client's token for one of its own", async () => {
      strict = newCaller({ ...server, clientId: "source" });
      const file = (name: string, text: string) => {
        writeFileSync(join(strict.home.folder, name), text, { mode: 0o600 });
        strict.home.holdsSecrets(name);
        return join(strict.home.folder, name);
      };
      const secret = `--oidc-client-secret-file=${file("source.secret", server.sourceSecret)}`;
      const source = await strict.run("token", "--grant-type=client-credentials", "--oidc-use-access-token", secret);
      expect(source.status, source.stderr).toBe(0);
      const subject = [`--subject-token-file=${file("subject.jwt", source.stdout.trim())}`, "--subject-token-type=urn:ietf:params:oauth:token-type:access_token"];
      const pipeline = ["--oidc-client-id=pipeline", `--oidc-client-secret-file=${file("pipeline.secret", server.pipelineSecret)}`];
      const exchanged = await strict.home.run([
        "token",
        ...strict.options().flatMap((arg) => (arg.startsWith("--oidc-client-id") ? pipeline : [arg])),
        "--grant-type=token-exchange",
        ...subject,
      ]);
      expect(exchanged.status, exchanged.stderr).toBe(0);
      expect(claimsOf(exchanged.stdout.trim())).toMatchObject({ azp: "pipeline", preferred_username: "service-account-source" });
    });

    it("tokens bound to a key, which the client requires: login, three refreshes, and the revocation at logout", async () => {
      strict = newCaller({ ...server, clientId: "kubernetes-dpop" }, "--oidc-extra-scope=groups");
      await strict.logIn();
      expect(claimsOf(strict.refreshToken())).toMatchObject({ cnf: { jkt: expect.any(String) } });
      for (let i = 0; i < 3; i++) credentialOf(await strict.refresh());
      expect((await strict.run("logout")).stderr).toContain("the session is revoked");
    });
  });
});

describeWith(["keycloak", "kube-apiserver", "etcd", "kubectl-newest"], (parts) => {
  beforeAll(async () => {
    server = await run(parts.keycloak.path);
  }, 540_000);
  provesThePage({ ...stage, ...seen, kubectl: parts["kubectl-newest"], cluster: () => realCluster(parts, server, "keycloak") });
});
