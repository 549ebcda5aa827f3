import { join } from "node:path";
import { kubeloginEntries } from "../../../src/adapters/kubelogin-cache.ts";
import { foreignToken, isTokenOf } from "../../../src/core/foreign-token.ts";
import { migrationOf } from "../../../src/core/migration.ts";
import { isObject } from "../../../src/core/session.ts";
import { mustHold, type Target } from "../target.ts";
import { plantingSubject } from "./stored.ts";

const clientSecret = "MIGQ-0123456789abcdefghij";
const token = `${Buffer.from('{"alg":"RS256"}').toString("base64url")}.${Buffer.from('{"iss":"https://id.example.com","aud":"kubernetes","sub":"ann","iat":1}').toString("base64url")}.c2ln`;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a kubeconfig user becomes: texts, get-token first, and its secrets in no argument and in no sentence. */
export const migrations: Target = {
  name: "migration",
  what: "a kubeconfig user that migrate looks at",
  kind: "json",
  secrets: [clientSecret],
  seeds: [
    JSON.stringify({
      exec: {
        apiVersion: "v1",
        command: "kubectl",
        args: ["oidc-login", "get-token", "--oidc-issuer-url=https://id.example.com", "--oidc-client-id", "kubernetes", `--oidc-client-secret=${clientSecret}`, "-v1"],
        env: [{ name: "HTTPS_PROXY", value: "x" }],
      },
    }),
    JSON.stringify({
      "auth-provider": {
        name: "oidc",
        config: {
          "idp-issuer-url": "https://id.example.com",
          "client-id": "kubernetes",
          "client-secret": clientSecret,
          "refresh-token": clientSecret,
          "id-token": token,
          "extra-scopes": "groups,email",
        },
      },
    }),
    JSON.stringify({
      exec: {
        command: "kubelogin",
        args: [
          "get-token",
          "--server-id",
          "6dae42f8",
          "--client-id",
          "80faf920",
          "--tenant-id",
          "9188040d-6c67-4c5b-b112-36a304b66dad",
          "--login",
          "devicecode",
          "--environment",
          "AzurePublicCloud",
        ],
      },
    }),
  ],
  start: () => ({
    run(input, say) {
      // A kubeconfig that is no YAML was refused before.
      const user = parsed(input.toString());
      if (!isObject(user)) return undefined;
      const found = migrationOf(user, { secretPath: () => "/secret", absolute: (path) => `/${path}` });
      if (found === undefined) return undefined;
      if ("problem" in found) say(found.problem);
      else if (found.kind !== "ours") {
        mustHold(found.args[0] === "get-token" && found.args.every((arg) => typeof arg === "string"), "no arguments of get-token");
        for (const loss of found.losses) say(loss);
      }
      return found.kind;
    },
  }),
};

/** A file of kubelogin's cache: two tokens, or nothing. */
export const kubeloginCaches: Target = {
  name: "kubelogin-cache",
  what: "a file of kubelogin's cache",
  kind: "json",
  secrets: [],
  seeds: [JSON.stringify({ id_token: token, refresh_token: "rt" }), JSON.stringify({ id_token: "a.b.c", refresh_token: "rt" })],
  start: () =>
    plantingSubject((plant, folder) => {
      const name = "a".repeat(64);
      return (input) => {
        plant(join("cache", name), input);
        const found = kubeloginEntries([join(folder, "cache")]);
        for (const { idToken, refreshToken } of found) {
          mustHold(refreshToken.reveal() !== "" && String(refreshToken) !== refreshToken.reveal(), "no secret");
          isTokenOf(idToken, { issuer: "https://id.example.com", clientId: "kubernetes", useAccessToken: true });
          mustHold(Number.isFinite(foreignToken(refreshToken, idToken).issuedAt), "no time");
        }
        return found.length;
      };
    }),
};
