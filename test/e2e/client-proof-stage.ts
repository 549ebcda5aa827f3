import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientMetadata, Configuration, JWK, KoaContextWithOIDC } from "oidc-provider";
import { clickThrough } from "../issuer/scripted-browser.ts";
import { accounts } from "../issuer/accounts.ts";
import { type OddAuthority, oddAuthority, type ServerCertificate } from "../issuer/odd-certificates.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";
import { type RunningProvider, startProvider } from "../issuer/provider.ts";
import { type Ended, type Home, newHome, openUrl } from "./program.ts";

/** An issuer whose clients prove themselves with keys and certificates, and a home with those. */
export interface ProofStage {
  readonly home: Home;
  readonly certificates: Certificates;
  readonly authority: OddAuthority;
  /** Of the client `machine`, by the authority that the issuer knows. */
  readonly certificate: ServerCertificate;
  readonly provider: RunningProvider;
  /** The key of the client `signer`, in files of several forms. */
  readonly keyFiles: Readonly<Record<"pkcs8" | "jwk", string>>;
  /** Writes a private file into the home; gives its path. */
  file(name: string, text: string, mode?: number): string;
  /** Options of a session of this client. */
  session(client: string, ...more: readonly string[]): readonly string[];
  /** Logs in as alice with a browser. */
  logIn(args: readonly string[], more?: Readonly<Record<string, string>>): Promise<Ended & { readonly url: string; readonly page: string }>;
  stop(): Promise<void>;
}

const socketOf = (ctx: { readonly req: IncomingMessage }) => (ctx.req.socket instanceof TLSSocket ? ctx.req.socket : undefined);

/** What the library leaves to whoever ends the TLS: here the test's own server does. */
export const mutualTls = {
  enabled: true,
  certificateBoundAccessTokens: true,
  selfSignedTlsClientAuth: true,
  tlsClientAuth: true,
  getCertificate: (ctx: KoaContextWithOIDC) => {
    const raw = socketOf(ctx)?.getPeerCertificate().raw;
    return raw === undefined ? undefined : new X509Certificate(raw);
  },
  certificateAuthorized: (ctx: KoaContextWithOIDC) => socketOf(ctx)?.authorized === true,
  certificateSubjectMatches: (ctx: KoaContextWithOIDC, _property: string, expected: string) => `CN=${socketOf(ctx)?.getPeerCertificate().subject.CN ?? ""}` === expected,
};

export const publicJwk = (key: KeyObject, more: object = {}): JWK => ({ ...createPublicKey(key).export({ format: "jwk" }), use: "sig", ...more }) as JWK;

const person = {
  application_type: "native",
  redirect_uris: ["http://localhost:8000", "http://127.0.0.1:8000"],
  response_types: ["code"],
  grant_types: ["authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"],
} as const;

export async function proofStage(choices: { readonly features?: Configuration["features"]; readonly alg?: string } = {}): Promise<ProofStage> {
  const home = newHome();
  const certificates = await makeCertificates(home.folder);
  const authority = await oddAuthority({ name: "authority of the clients" });
  const certificate = await authority.issue({ commonName: "machine" });
  const own = await authority.issue({ commonName: "self", selfSigned: true });
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const clients: readonly ClientMetadata[] = [
    { ...person, client_id: "signer", token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [publicJwk(privateKey, { kid: "k1" })] } },
    { ...person, client_id: "machine", token_endpoint_auth_method: "tls_client_auth", tls_client_auth_subject_dn: "CN=machine" },
    {
      ...person,
      client_id: "self",
      token_endpoint_auth_method: "self_signed_tls_client_auth",
      jwks: { keys: [{ ...new X509Certificate(own.cert).publicKey.export({ format: "jwk" }), x5c: [new X509Certificate(own.cert).raw.toString("base64")] } as JWK] },
    },
  ] as unknown as readonly ClientMetadata[];
  const provider = await startProvider({
    certificates: { ...certificates, clientCaPem: authority.pem },
    clients,
    features: { mTLS: mutualTls, ...choices.features } as Configuration["features"],
    extraConfig: { clientAuthMethods: ["none", "client_secret_basic", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"] },
  });
  const file = (name: string, text: string, mode = 0o600): string => {
    const path = join(home.folder, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  };
  file("machine.pem", certificate.cert);
  file("machine.key", certificate.key);
  file("self.pem", own.cert);
  file("self.key", own.key);
  return {
    home,
    certificates,
    authority,
    certificate,
    provider,
    keyFiles: {
      pkcs8: file("signer.key", String(privateKey.export({ type: "pkcs8", format: "pem" }))),
      jwk: file("signer.jwk", JSON.stringify({ ...privateKey.export({ format: "jwk" }), kid: "k1" })),
    },
    file,
    session: (client, ...more) => [
      `--oidc-issuer-url=${provider.issuer}`,
      `--oidc-client-id=${client}`,
      `--certificate-authority=${certificates.caFile}`,
      "--token-cache-storage=disk",
      "--listen-address=127.0.0.1:0",
      "--skip-open-browser",
      ...more,
    ],
    async logIn(args, more) {
      const started = home.start(args, more);
      const [, url = ""] = await started.sees(openUrl);
      const { body } = await clickThrough(url, { ca: certificates.caPem, account: "alice", password: accounts.alice.password });
      return { ...(await started.ended), url, page: body };
    },
    async stop() {
      await provider.stop();
      home.remove();
    },
  };
}

/** The audience of a machine's tokens. */
export const cluster = "https://cluster.example.com";

/** A token for the cluster, without a person. */
export const machineGrant = ["--grant-type=client-credentials", "--oidc-use-access-token", `--oidc-audience=${cluster}`] as const;
