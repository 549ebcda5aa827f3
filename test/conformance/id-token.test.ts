import { describe, expect, it } from "vitest";
import { credentialOf, errorCode } from "../e2e/program.ts";
import { forgedIdTokens } from "./forged-id-tokens.ts";
import { expectRefusal, onStage } from "./lying-stage.ts";

describe("a login is refused, and nothing of it is kept, when the ID token is one", () => {
  const cases = forgedIdTokens.flatMap((row) => (row.login === undefined ? [] : [[`${row.name} [${row.login}]`, row] as const]));
  it.concurrent.each(cases)("%s", (_, { behaviour }) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      issuer.become(behaviour(issuer.issuer));
      const ended = await logIn();
      expectRefusal(issuer, ended, "ID_TOKEN_INVALID");
      expect(ended.status).toBe(30);
      expect(ended.page).toContain("ID_TOKEN_INVALID");
      issuer.become({});
      expect(errorCode(await refresh())).toBe("LOGIN_REQUIRED");
      // What came with it is revoked.
      expect(issuer.count("revocation")).toBe(1);
    }),
  );
});

describe("a refresh is refused, and the session ends only when it names somebody else, when the ID token is one", () => {
  const cases = forgedIdTokens.flatMap((row) => (row.refresh === undefined ? [] : [[`${row.name} [${row.refresh}]`, row] as const]));
  it.concurrent.each(cases)("%s", (_, { behaviour, isForeign }) =>
    onStage(async ({ issuer, logIn, refresh }) => {
      // The issuer has its keys from the start, not only since the forgery.
      const { jwks } = behaviour(issuer.issuer);
      issuer.become(jwks === undefined ? {} : { jwks });
      credentialOf(await logIn());
      issuer.become(behaviour(issuer.issuer));
      const refused = await refresh();
      expectRefusal(issuer, refused, isForeign ? "ACCOUNT_MISMATCH" : "ID_TOKEN_INVALID");
      issuer.become({});
      const later = await refresh();
      if (isForeign) expect(errorCode(later)).toBe("LOGIN_REQUIRED");
      else credentialOf(later);
    }),
  );
});
