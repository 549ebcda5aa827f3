import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { credentialOf, errorCode } from "../../e2e/program.ts";
import { describeWith } from "../with-parts.ts";
import { provesEveryPromise } from "./any-issuer.ts";
import { type Caller, claimsOf, newCaller } from "./caller.ts";
import { startDex } from "./dex-server.ts";
import { onceStarted } from "./once-started.ts";
import { provesThePage, realCluster, smallCluster } from "./page-proof.ts";
import type { RealIssuer } from "./real-issuer.ts";
import { rotate } from "./rotate.ts";

const scopes = "--oidc-extra-scope=email,groups,profile";
let server: RealIssuer;
let caller: Caller;
const stage = { issuer: () => server, caller: () => caller };
const seen = { page: "dex", username: "oidc:alice@example.com", groups: ["oidc:developers", "oidc:admins"] };
const run = onceStarted(startDex);
beforeEach(() => {
  caller = newCaller(server, scopes);
});
afterEach(() => caller.remove());

describeWith(["dex", "kubectl"], (parts) => {
  beforeAll(async () => {
    server = await run(parts.dex.path);
  });

  provesEveryPromise(stage, { claims: { email: "alice@example.com", email_verified: true, groups: ["developers", "admins"] }, hasDeviceGrant: true, revokes: false });
  provesThePage({ ...stage, ...seen, kubectl: parts.kubectl, cluster: () => smallCluster(server, "dex") });

  it("a refresh token that was just spent is answered once more, as after a kill in the middle of a refresh; later it is refused", async () => {
    await caller.logIn();
    const copy = caller.copyStore();
    await rotate(caller);
    const newest = caller.copyStore();
    caller.putBack(copy);
    credentialOf(await caller.refresh());
    caller.putBack(newest);
    await rotate(caller);
    caller.putBack(copy);
    const late = await caller.refresh();
    expect([late.status, errorCode(late)], late.stderr).toEqual([20, "SESSION_REVOKED"]);
    credentialOf(await caller.logIn(server.alice, "--force-refresh"));
  });

  it("a login on a second computer ends the first one's session, which says so and logs in again", async () => {
    await caller.logIn();
    const second = newCaller(server, scopes);
    try {
      await second.logIn();
      const first = await caller.refresh();
      expect([first.status, errorCode(first)], first.stderr).toEqual([20, "SESSION_REVOKED"]);
      credentialOf(await caller.logIn(server.alice, "--force-refresh"));
      credentialOf(await caller.refresh());
    } finally {
      second.remove();
    }
  });

  it("a client of its own for the second computer keeps both sessions, and its tokens are for the cluster too", async () => {
    await caller.logIn();
    const second = newCaller({ ...server, clientId: "kubernetes-second" }, `${scopes},audience:server:client_id:kubernetes`);
    try {
      const login = await second.logIn();
      expect(claimsOf(credentialOf(login).status.token)).toMatchObject({ aud: expect.arrayContaining(["kubernetes", "kubernetes-second"]), azp: "kubernetes-second" });
      credentialOf(await second.refresh());
      credentialOf(await caller.refresh());
    } finally {
      second.remove();
    }
  });

  it("who says no on Dex' page is not sent back by Dex: the call waits until its time is over, and logs nobody in", async () => {
    const login = await caller.deny(server.alice, "--authentication-timeout-sec=8");
    expect([login.status, errorCode(login)], login.stderr).toEqual([20, "LOGIN_TIMED_OUT"]);
    expect(errorCode(await caller.refresh())).toBe("LOGIN_REQUIRED");
  });
});

describeWith(["dex", "kube-apiserver", "etcd", "kubectl-newest"], (parts) => {
  beforeAll(async () => {
    server = await run(parts.dex.path);
  });
  provesThePage({ ...stage, ...seen, kubectl: parts["kubectl-newest"], cluster: () => realCluster(parts, server, "dex") });
});
