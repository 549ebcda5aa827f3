import { listenOnLocalhost, type LocalServer } from "../../issuer/listen-on-localhost.ts";
import type { Certificates } from "../../issuer/certificates.ts";

/** Answers `kubectl get --raw /version` to whoever brings a token. What an API server does with it is not what is measured here. */
export function startVersionServer(certificates: Certificates): Promise<LocalServer> {
  const body = JSON.stringify({ major: "1", minor: "34", gitVersion: "v1.34.0-bench" });
  return listenOnLocalhost((request, response) => {
    const known = /^Bearer ./.test(request.headers.authorization ?? "");
    response.writeHead(known ? 200 : 401, { "content-type": "application/json" });
    response.end(known ? body : "{}");
  }, certificates);
}
