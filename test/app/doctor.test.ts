import { expect, it } from "vitest";
import { examine, type Patient } from "../../src/app/doctor.ts";
import { OidcError } from "../../src/errors/oidc-error.ts";

/** Options that name no session, on a computer where all is well. */
const patient = (change: Partial<Patient>): Patient => ({
  run: new OidcError("SETTINGS_INCOMPLETE", {}),
  faultIn: "D-01",
  stanza: undefined,
  stanzaEnv: {},
  env: {},
  sources: { sources: [], origins: [], unknown: [], usesContext: false },
  kuberc: { kind: "absent" },
  resolve: () => undefined,
  clock: { now: () => 0, sleep: () => new Promise(() => undefined) },
  platform: "linux",
  program: { own: "/a", copies: ["/a"], shadows: [], kubelogin: [], completion: [], version: "1.0.0", runtime: "Node 24.0.0" },
  server: undefined,
  authorityBytes: undefined,
  kubectl: async () => "v1.36.2",
  proxies: () => ({ issuer: undefined, server: undefined }),
  roots: () => ({ bundle: undefined, insteadOfSystem: undefined, extra: undefined }),
  notCounted: [],
  ...change,
});
const failing = async (change: Partial<Patient>) => (await examine(patient(change))).filter(({ status }) => status === "fail");

it.each(["D-01", "D-16", "D-23"] as const)("what is wrong with the settings or the store is said by %s when it belongs there, and by no other check", async (faultIn) => {
  expect((await failing({ faultIn })).map(({ id }) => id)).toEqual([faultIn]);
});

it("a check that hangs ends at its deadline, and the others do not wait for it", async () => {
  const released: (() => void)[] = [];
  const clock: Patient["clock"] = { now: () => 0, sleep: () => new Promise((done) => released.push(done)) };
  const examined = examine(patient({ clock, kubectl: () => new Promise(() => undefined) }));
  // Every other check is settled by what is here at once.
  await new Promise((done) => setImmediate(done));
  for (const release of released) release();
  const checks = await examined;
  expect(checks.find(({ id }) => id === "D-22")).toMatchObject({ status: "fail", detail: "no answer in 60 s" });
  expect(checks.filter(({ detail }) => detail === "no answer in 60 s")).toHaveLength(1);
});

it("a proxy that cannot be used is a finding, not the end", async () => {
  const found = await failing({
    proxies: () => {
      throw new OidcError("SETTINGS_INVALID", { message: "HTTPS_PROXY is not an http or https proxy" });
    },
  });
  expect(found.map(({ id }) => id)).toEqual(["D-01", "D-17"]);
});
