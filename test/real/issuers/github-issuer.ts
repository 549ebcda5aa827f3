import type { Certificates } from "../../issuer/certificates.ts";
import { listenOnLocalhost } from "../../issuer/listen-on-localhost.ts";
import { type GithubStandIn, makePlatform, type Platform, startGithub } from "../../issuer/platform-tokens.ts";

export interface GithubIssuer {
  /** Signs a job's tokens: of the repository acme/web, on its branch main. */
  readonly platform: Platform;
  /** The runner's endpoint for them. */
  readonly runner: GithubStandIn;
  stop(): Promise<void>;
}

/** Stands for https://token.actions.githubusercontent.com: its discovery document and keys over TLS, and a runner's endpoint. The claims are those that GitHub documents. */
export async function startGithubIssuer(certificates: Certificates): Promise<GithubIssuer> {
  const site: { issuer: string; keys: object } = { issuer: "", keys: {} };
  const server = await listenOnLocalhost((request, response) => {
    response.setHeader("content-type", "application/json");
    if (request.url === "/.well-known/jwks") return void response.end(JSON.stringify(site.keys));
    const { issuer } = site;
    const metadata = {
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks`,
      id_token_signing_alg_values_supported: ["ES256"],
      response_types_supported: ["id_token"],
      scopes_supported: ["openid"],
    };
    response.end(JSON.stringify(metadata));
  }, certificates);
  const made = await makePlatform(server.origin);
  Object.assign(site, { issuer: made.issuer, keys: made.keys.published() });
  const job = { repository: "acme/web", repository_owner: "acme", repository_owner_id: "1234567", ref: "refs/heads/main", event_name: "push" };
  const platform: Platform = { ...made, token: (more, kind) => made.token({ ...job, ...more }, kind) };
  const runner = await startGithub(platform);
  return {
    platform,
    runner,
    async stop() {
      await runner.stop();
      await server.stop();
    },
  };
}
