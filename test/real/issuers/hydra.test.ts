import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { blockOf } from "../../docs/fenced-blocks.ts";
import { credentialOf, errorCode } from "../../e2e/program.ts";
import { describeWith } from "../with-parts.ts";
import { provesEveryPromise } from "./any-issuer.ts";
import { type Caller, claimsOf, newCaller } from "./caller.ts";
import { type HydraServer, startHydra } from "./hydra-server.ts";
import { onceStarted } from "./once-started.ts";
import { provesThePage, realCluster, smallCluster } from "./page-proof.ts";
import { runPage } from "./page.ts";

let server: HydraServer;
let caller: Caller;
const stage = { issuer: () => server, caller: () => caller };
const seen = { page: "hydra", username: "oidc:alice@example.com", groups: ["oidc:developers", "oidc:admins"] };
const run = onceStarted(startHydra);
beforeEach(() => {
  caller = newCaller(server);
});
afterEach(() => caller.remove());

describeWith(["hydra", "kubectl"], (parts) => {
  beforeAll(async () => {
    server = await run(parts.hydra.path);
  });

  provesEveryPromise(stage, { claims: { sub: "alice", email: "alice@example.com", groups: ["developers", "admins"] }, hasDeviceGrant: false, revokes: true });
  provesThePage({ ...stage, ...seen, kubectl: parts.kubectl, cluster: () => smallCluster(server, "hydra") });

  it("a spent refresh token, sent by a copy of the store, ends the session for both; the next login is whole again", async () => {
    await caller.logIn();
    const copy = caller.copyStore();
    credentialOf(await caller.refresh());
    const newest = caller.copyStore();
    caller.putBack(copy);
    expect(errorCode(await caller.refresh())).toBe("SESSION_REVOKED");
    caller.putBack(newest);
    expect(errorCode(await caller.refresh())).toBe("SESSION_REVOKED");
    credentialOf(await caller.logIn(server.alice, "--force-refresh"));
    credentialOf(await caller.refresh());
  });

  it("while the issuer is killed and started again no session is lost, and nobody is sent to log in", async () => {
    const { token } = credentialOf(await caller.logIn()).status;
    await server.restart(async () => {
      expect(credentialOf(await caller.run("get-token", "--force-refresh", "--non-interactive")).status.token).toBe(token);
      caller.ageToken();
      const away = await caller.run("get-token", "--non-interactive");
      expect([away.status, errorCode(away)], away.stderr).toEqual([30, "ISSUER_UNREACHABLE"]);
    });
    credentialOf(await caller.run("get-token", "--non-interactive"));
  });

  it("who says no to the consent is told that the login was denied, and nothing is stored", async () => {
    const login = await caller.deny(server.alice);
    expect([login.status, errorCode(login)], login.stderr).toEqual([20, "LOGIN_DENIED"]);
    expect(errorCode(await caller.refresh())).toBe("LOGIN_REQUIRED");
  });

  it("has no pushed authorization requests, as the page says: --par=always is refused before anybody is asked, and says so", async () => {
    const login = await caller.run("get-token", "--par=always", "--skip-open-browser");
    expect([login.status, login.stdout, errorCode(login)], login.stderr).toEqual([30, "", "GRANT_UNSUPPORTED"]);
    expect(login.stderr).toContain("takes no pushed authorization requests");
    credentialOf(await caller.logIn());
  });

  it("a machine's client gets an access token that an API server can read", async () => {
    writeFileSync(join(caller.home.folder, "pipeline.secret"), server.pipelineSecret, { mode: 0o600 });
    caller.home.holdsSecrets("pipeline.secret");
    const token = await runPage(caller, server, blockOf("hydra.md", "hydra-machine"));
    expect(token.status, token.stderr).toBe(0);
    expect(claimsOf(token.stdout.trim())).toMatchObject({ iss: server.issuer, aud: ["kubernetes"], sub: "pipeline" });
  });
});

describeWith(["hydra", "kube-apiserver", "etcd", "kubectl-newest"], (parts) => {
  beforeAll(async () => {
    server = await run(parts.hydra.path);
  });
  provesThePage({ ...stage, ...seen, kubectl: parts["kubectl-newest"], cluster: () => realCluster(parts, server, "hydra") });
});
