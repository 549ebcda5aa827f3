import type { ClientProof } from "../core/client-proof.ts";
import { once } from "../core/once.ts";
import { secret } from "../core/secret.ts";
import type { Settings } from "../core/settings.ts";
import type { Terminal } from "../ports.ts";
import { readClientCertificate, type ClientCertificate } from "./client-certificate.ts";
import { readClientKey } from "./client-key.ts";
import type { ProviderOptions } from "./provider-options.ts";
import { readSecretFile } from "./secret-file.ts";

/** What a client proves itself with, out of its files; each is read when it is first asked for, and once. SETTINGS_INVALID naming the option. */
export interface ClientFiles {
  options(): Pick<ProviderOptions, "clientSecret" | "clientKey" | "usesCertificate" | "par">;
  certificate(): ClientCertificate | undefined;
  proof(): ClientProof;
}

export function clientFiles(settings: Settings, terminal: Pick<Terminal, "warn">): ClientFiles {
  const { clientSecretFile, clientKeyFile, clientKeyId, clientCertificate, clientKey } = settings;
  const warn = (text: string) => terminal.warn(text);
  const secretOnce = once(() => (clientSecretFile === undefined ? settings.clientSecret : secret(readSecretFile("oidc-client-secret-file", clientSecretFile))));
  const keyOnce = once(() => (clientKeyFile === undefined ? undefined : readClientKey({ option: "client-key-file", path: clientKeyFile, warn }, clientKeyId)));
  const certificate = once(() =>
    clientCertificate === undefined || clientKey === undefined ? undefined : readClientCertificate(clientCertificate, clientKey, { now: Date.now(), warn }),
  );
  return {
    certificate,
    options: () => ({ clientSecret: secretOnce(), clientKey: keyOnce(), usesCertificate: certificate() !== undefined, par: settings.par }),
    proof() {
      const shown = certificate();
      const key = keyOnce();
      if (key !== undefined) return { method: "private_key_jwt", algorithms: key.algorithms, certificateExpiresAt: shown?.expiresAt };
      if (secretOnce() !== undefined) return { method: "client_secret" };
      return shown === undefined ? { method: "none" } : { method: "tls_client_auth", expiresAt: shown.expiresAt };
    },
  };
}
