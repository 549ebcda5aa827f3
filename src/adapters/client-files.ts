import type { ClientProof } from "../core/client-proof.ts";
import { once } from "../core/once.ts";
import { secret } from "../core/secret.ts";
import type { Settings } from "../core/settings.ts";
import type { Terminal } from "../ports.ts";
import { readClientCertificate, type ClientCertificate } from "./client-certificate.ts";
import { readClientKey } from "./client-key.ts";
import type { ProviderOptions } from "./provider-options.ts";
import { readSecretFile } from "./secret-file.ts";

/** What a client proves itself with, out of its files; each is read when it is first asked for, and once. SETTINGS_INVALID naming the option; INTERRUPTED. */
export interface ClientFiles {
  options(): Promise<Pick<ProviderOptions, "clientSecret" | "clientKey" | "usesCertificate" | "par">>;
  certificate(): Promise<ClientCertificate | undefined>;
  proof(): Promise<ClientProof>;
}

export function clientFiles(settings: Settings, terminal: Pick<Terminal, "warn">, signal: AbortSignal): ClientFiles {
  const { clientSecretFile, clientKeyFile, clientKeyId, clientCertificate, clientKey } = settings;
  const warn = (text: string) => terminal.warn(text);
  const secretOnce = once(async () =>
    clientSecretFile === undefined ? settings.clientSecret : secret(await readSecretFile("oidc-client-secret-file", clientSecretFile, { signal })),
  );
  const keyOnce = once(async () => (clientKeyFile === undefined ? undefined : readClientKey({ option: "client-key-file", path: clientKeyFile, signal, warn }, clientKeyId)));
  const certificate = once(async () =>
    clientCertificate === undefined || clientKey === undefined ? undefined : readClientCertificate(clientCertificate, clientKey, { now: Date.now(), warn, signal }),
  );
  return {
    certificate,
    options: async () => ({ clientSecret: await secretOnce(), clientKey: await keyOnce(), usesCertificate: (await certificate()) !== undefined, par: settings.par }),
    async proof() {
      const shown = await certificate();
      const key = await keyOnce();
      if (key !== undefined) return { method: "private_key_jwt", algorithms: key.algorithms, certificateExpiresAt: shown?.expiresAt };
      if ((await secretOnce()) !== undefined) return { method: "client_secret" };
      return shown === undefined ? { method: "none" } : { method: "tls_client_auth", expiresAt: shown.expiresAt };
    },
  };
}
