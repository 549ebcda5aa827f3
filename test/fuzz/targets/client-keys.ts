import { createPrivateKey } from "node:crypto";
import { join } from "node:path";
import { readClientCertificate } from "../../../src/adapters/client-certificate.ts";
import { readClientKey } from "../../../src/adapters/client-key.ts";
import { mustHold, type Target } from "../target.ts";
import { certificate } from "./certificate.ts";
import { plantingSubject } from "./stored.ts";

const secret = "Q0xJRU5UU0VDUkVUS0VZT0ZGVVpaSU5H";
/** The key whose secret is the number one: its public half is the curve's own base point (SEC 2, section 2.4.2), so that it protects nothing. */
const jwk = {
  kty: "EC",
  crv: "P-256",
  x: "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
  y: "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
  d: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",
};
const pem = (type: "pkcs8" | "sec1") => String(createPrivateKey({ key: jwk, format: "jwk" }).export({ type, format: "pem" }));
const known = ["RS256", "PS256", "RS384", "PS384", "RS512", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];

export const clientKeys: Target = {
  name: "client-keys",
  what: "a file with a client's key or certificate",
  kind: "text",
  secrets: [secret],
  seeds: [
    JSON.stringify({ ...jwk, kid: "k1", alg: "ES256", use: "sig" }),
    JSON.stringify({ kty: "oct", k: secret }),
    JSON.stringify({ keys: [jwk] }),
    pem("pkcs8"),
    `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${pem("sec1")}`,
    `${certificate}${pem("pkcs8")}`,
    `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`,
    `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${secret}\n-----END ENCRYPTED PRIVATE KEY-----\n`,
    secret,
  ],
  start: () =>
    plantingSubject((plant, folder) => {
      const path = join(folder, "client.key");
      plant("good.key", pem("pkcs8"));
      return async (input, say) => {
        plant("client.key", input);
        for (const action of [
          () => readClientCertificate(path, join(folder, "good.key"), { now: 0, warn: say }),
          () => readClientCertificate(join(folder, "good.key"), path, { now: 0, warn: say }),
        ]) {
          try {
            await action();
          } catch (error) {
            // Ours is what it has to be; the judge looks at the one that ends the run.
            mustHold(error instanceof Error && "code" in error && error.code === "SETTINGS_INVALID", `another error: ${String(error).slice(0, 80)}`);
            say(`${error.message} ${"reason" in error ? String(error.reason) : ""}`);
          }
        }
        const key = await readClientKey({ option: "client-key-file", path, warn: say }, undefined);
        mustHold(key.algorithms.length > 0 && key.algorithms.every((algorithm) => known.includes(algorithm)), "an algorithm that is none");
        const { header } = await key.signer(["ES256"]);
        mustHold(
          Object.values(header).every((value) => typeof value === "string"),
          "a header that is no text",
        );
      };
    }),
};
