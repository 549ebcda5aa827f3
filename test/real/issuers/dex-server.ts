import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { blockOf } from "../../docs/fenced-blocks.ts";
import { makeCertificates } from "../../issuer/certificates.ts";
import { freePort, startServer } from "../server-process.ts";
import { answersOver } from "./answers-over.ts";
import type { RealIssuer } from "./real-issuer.ts";

/** bcrypt of `password`, as Dex' own example has it. */
const hash = "$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W";

interface Registered {
  readonly staticClients: readonly object[];
}

/** Dex with its storage in memory, the clients and lifetimes of docs/how-to/dex.md, and alice in its own password database. */
export async function startDex(program: string, folder: string): Promise<RealIssuer> {
  const certificates = await makeCertificates(folder);
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const [port, ours, other] = [await freePort(), await freePort(), await freePort()];
  const issuer = `https://localhost:${port}`;
  const filled = (text: string) =>
    text.replaceAll("https://dex.example.com", issuer).replaceAll("localhost:8000", `localhost:${ours}`).replaceAll("localhost:18000", `localhost:${other}`);
  const page = (block: string) => parse(filled(blockOf("dex.md", block))) as Registered;
  const registered = page("dex-register");
  const [more, second] = page("dex-second-computer").staticClients;
  const config = {
    ...registered,
    staticClients: [{ ...registered.staticClients[0], ...more }, second],
    storage: { type: "memory" },
    web: { https: `127.0.0.1:${port}`, tlsCert: file("server.pem", certificates.certPem), tlsKey: file("server.key", certificates.keyPem) },
    enablePasswordDB: true,
    staticPasswords: [{ email: "alice@example.com", hash, username: "alice", userID: "08a8684b-db88-4b73-90a9-3cd1661f5466", groups: ["developers", "admins"] }],
  };
  const server = await startServer({
    program,
    args: ["serve", file("dex.yaml", stringify(config))],
    cwd: folder,
    log: join(folder, "dex.log"),
    ready: () => answersOver(`${issuer}/.well-known/openid-configuration`, certificates.caPem),
    within: 60,
  });
  return {
    issuer,
    certificates,
    clientId: "kubernetes",
    ports: [ours, other],
    alice: { account: "alice@example.com", password: "password" },
    filled,
    stop: () => server.stop("SIGKILL"),
  };
}
