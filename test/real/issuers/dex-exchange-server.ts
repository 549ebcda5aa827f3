import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { parse } from "yaml";
import { noteSecret } from "../../canaries.ts";
import { blockOf } from "../../docs/fenced-blocks.ts";
import { freePort } from "../server-process.ts";
import { type DexServer, type Registered, serveDex, startDex } from "./dex-server.ts";
import { type GithubIssuer, startGithubIssuer } from "./github-issuer.ts";
import type { RealIssuer } from "./real-issuer.ts";

/** A Dex that exchanges tokens of others, and those others. */
export interface ExchangeServer extends RealIssuer {
  /** A second Dex, as a company has it: alice logs in there. Its connectors are `company`, and `company-access` for access tokens; `away` has an issuer that nobody reaches. */
  readonly company: DexServer;
  /** The connector `github`, as docs/how-to/dex.md has it. */
  readonly github: GithubIssuer;
  /** A third, with the grants that the page lists for who wants no exchange. */
  readonly closed: Pick<RealIssuer, "issuer">;
}

/** Dex with the connectors and clients of docs/how-to/dex.md for pipelines, and the issuers that its connectors are for. */
export async function startDexExchange(program: string, folder: string): Promise<ExchangeServer> {
  const [port, closedPort, nobodys] = [await freePort(), await freePort(), await freePort()];
  const issuerAt = (at: number) => `https://localhost:${at}`;
  const broker = { id: "broker", name: "Broker", secret: "broker-throw-away-secret", redirectURIs: [port, closedPort].map((at) => `${issuerAt(at)}/callback`) };
  noteSecret("client secret", broker.secret);
  const company = await startDex(program, folder, [broker]);
  const { certificates } = company;
  const started: { stop(): Promise<void> }[] = [company];
  const stop = async () => {
    for (const one of started.reverse()) await one.stop();
  };
  try {
    const github = await startGithubIssuer(certificates);
    started.push(github);
    const rootCAs = [join(folder, "authority.pem")];
    writeFileSync(rootCAs[0] ?? "", certificates.caPem);
    const filledFor = (issuer: string) => (text: string) =>
      company.filled(text.replaceAll("https://dex.example.com", issuer).replaceAll("https://token.actions.githubusercontent.com", github.platform.issuer));
    const serve = async (name: string, at: number, more: object = {}) => {
      const page = (block: string) => parse(filledFor(issuerAt(at))(blockOf("dex.md", block))) as Registered;
      const [kubernetes] = page("dex-register").staticClients;
      const [pipelines] = (page("dex-pipeline-connector").connectors ?? []) as readonly { readonly config: object }[];
      const scopes = ["openid", "profile", "email", "groups", "offline_access"];
      const asBroker = { clientID: broker.id, clientSecret: broker.secret, redirectURI: `${issuerAt(at)}/callback`, scopes };
      const ofCompany = (id: string, settings: object) => ({
        type: "oidc",
        id,
        name: id,
        config: { ...asBroker, issuer: company.issuer, rootCAs, insecureEnableGroups: true, ...settings },
      });
      const server = await serveDex(
        { program, folder, name, port: at, certificates },
        {
          ...page("dex-register"),
          staticClients: [
            { ...kubernetes, trustedPeers: ["deploy"] },
            { id: "deploy", name: "Deployments", public: true },
            { id: "elsewhere", name: "Another cluster", public: true },
          ],
          connectors: [
            { ...pipelines, config: { ...pipelines?.config, rootCAs } },
            ofCompany("company", {}),
            ofCompany("company-access", { getUserInfo: true }),
            ofCompany("away", { issuer: issuerAt(nobodys) }),
          ],
          ...more,
        },
      );
      started.push({ stop: () => server.stop("SIGKILL") });
    };
    await serve("exchange", port);
    await serve("closed", closedPort, parse(blockOf("dex.md", "dex-no-exchange")) as object);
    return { ...company, issuer: issuerAt(port), pages: [company.issuer], filled: filledFor(issuerAt(port)), company, github, closed: { issuer: issuerAt(closedPort) }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
