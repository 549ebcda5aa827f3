import { describe, expect, it } from "vitest";
import { renewalFiles } from "../../src/core/handout.ts";

const key = "ab".repeat(32);

describe("the files of a renewal", () => {
  it("lie in the store of the credential", () =>
    expect(renewalFiles(`/data/kubectl-oidc/credentials/${key}.json`, key)).toEqual({
      note: "/data/kubectl-oidc/locks/renewal-abababababababab",
      outcome: `/data/kubectl-oidc/refreshes/${key}.json`,
    }));
  it.each([
    [`/data/credentials/${key}.json`, "../../etc/passwd"],
    [`/data/elsewhere/${key}.json`, key],
    ["/data/credentials/../x.json", key],
    ["credentials", key],
  ])("are none for planted names: %s, %s", (file, session) => expect(renewalFiles(file, session)).toBeUndefined());
});
