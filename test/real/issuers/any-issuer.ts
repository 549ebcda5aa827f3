import { expect, it } from "vitest";
import { credentialOf, errorCode } from "../../e2e/program.ts";
import { type Caller, claimsOf } from "./caller.ts";
import type { RealIssuer } from "./real-issuer.ts";

/** A test's issuer, and a machine at which nobody has logged in yet. */
export interface Stage {
  issuer(): RealIssuer;
  caller(): Caller;
}

/** In what issuers differ. */
export interface Habits {
  /** Claims of alice's ID token. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly hasDeviceGrant: boolean;
  /** RFC 7009. */
  readonly revokes: boolean;
}

/** What this program promises with every issuer, as sentences about a real one. */
export function provesEveryPromise({ issuer, caller }: Stage, habits: Habits): void {
  it("a login by the issuer's own form gives one credential, with user and groups in the token, and the next call asks nobody", async () => {
    const login = await caller().logIn();
    expect([login.status, login.page.status], login.stderr).toEqual([0, 200]);
    const { token } = credentialOf(login).status;
    expect(claimsOf(token)).toMatchObject({ iss: issuer().issuer, aud: audienceOf(token), ...habits.claims });
    expect([audienceOf(token)].flat()).toEqual(["kubernetes"]);
    const next = await caller().run("get-token", "-v4");
    expect(credentialOf(next).status.token).toBe(token);
    expect(next.stderr).not.toMatch(/(GET|POST) http/);
  });

  it("a wrong password logs nobody in: the issuer's page says so, and the call waits", async () => {
    const wrong = { ...issuer().alice, password: "not-hers" };
    await expect(caller().logIn(wrong)).rejects.toThrow("the issuer did not accept this name and password");
  });

  it("ten refreshes in a row each send the newest refresh token, and each brings a new token", async () => {
    await caller().logIn();
    const tokens = new Set<string>();
    for (let i = 0; i < 10; i++) tokens.add(credentialOf(await caller().refresh()).status.token);
    expect(tokens.size).toBe(10);
  });

  it("eight calls at once with a used-up token get one and the same new one", async () => {
    await caller().logIn();
    caller().ageToken();
    const all = await Promise.all(Array.from({ length: 8 }, () => caller().run("get-token", "--non-interactive")));
    expect(new Set(all.map((ended) => credentialOf(ended).status.token)).size).toBe(1);
    credentialOf(await caller().refresh());
  });

  const lacking = habits.hasDeviceGrant ? "" : " (needs a device grant, which this issuer does not have)";
  it.runIf(habits.hasDeviceGrant)(`a login by device code, confirmed on the issuer's page, gives a session that is refreshed${lacking}`, async () => {
    const login = await caller().logInByCode();
    expect([login.status, login.page.status], login.stderr).toEqual([0, 200]);
    expect(claimsOf(credentialOf(await caller().refresh()).status.token)).toMatchObject(habits.claims);
  });

  it(`a logout ${habits.revokes ? "revokes the session at the issuer: a copy of the store is worth nothing" : "deletes the session here, and says that the issuer revokes nothing"}`, async () => {
    await caller().logIn();
    const copy = caller().copyStore();
    const logout = await caller().run("logout");
    expect(logout.status, logout.stderr).toBe(0);
    expect(logout.stderr).toContain(habits.revokes ? "the session is revoked" : "was not revoked");
    expect(errorCode(await caller().refresh())).toBe("LOGIN_REQUIRED");
    caller().putBack(copy);
    const again = await caller().refresh();
    if (habits.revokes) expect(errorCode(again)).toBe("SESSION_REVOKED");
    else credentialOf(again);
  });

  it("doctor finds nothing that fails", async () => {
    await caller().logIn();
    const doctor = await caller().run("doctor", "-o", "json", `--browser-command='${process.execPath}' -e 0`);
    const { checks } = JSON.parse(doctor.stdout) as { readonly checks: readonly { readonly id: string; readonly status: string; readonly detail: string }[] };
    expect(checks.filter(({ status }) => status === "fail").map(({ id, detail }) => `${id} ${detail}`)).toEqual([]);
  });
}

const audienceOf = (token: string) => claimsOf(token)["aud"];
