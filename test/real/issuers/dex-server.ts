import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { blockOf } from "../../docs/fenced-blocks.ts";
import { type Certificates, makeCertificates } from "../../issuer/certificates.ts";
import { freePort, type ServerProcess, startServer } from "../server-process.ts";
import { answersOver } from "./answers-over.ts";
import type { RealIssuer } from "./real-issuer.ts";

/** bcrypt of `password`, as Dex' own example has it. */
const hash = "$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W";

export interface Registered {
  readonly staticClients: readonly (object | undefined)[];
  readonly connectors?: readonly object[];
}

export interface DexServer extends RealIssuer {
  /** Ends it and starts it again, at the same address: sessions and keys are others then. */
  restart(): Promise<void>;
}

/** Dex with its storage in memory, the clients and lifetimes of docs/how-to/dex.md and `more` clients, and alice in its own password database. */
export async function startDex(program: string, folder: string, more: readonly object[] = []): Promise<DexServer> {
  const certificates = await makeCertificates(folder);
  const [port, ours, other] = [await freePort(), await freePort(), await freePort()];
  const issuer = `https://localhost:${port}`;
  const filled = (text: string) =>
    text.replaceAll("https://dex.example.com", issuer).replaceAll("localhost:8000", `localhost:${ours}`).replaceAll("localhost:18000", `localhost:${other}`);
  const page = (block: string) => parse(filled(blockOf("dex.md", block))) as Registered;
  const registered = page("dex-register");
  const [first, second] = page("dex-second-computer").staticClients;
  const config = { ...registered, staticClients: [{ ...registered.staticClients[0], ...first }, second, ...more] };
  const start = () => serveDex({ program, folder, name: "dex", port, certificates }, config);
  let server = await start();
  return {
    issuer,
    certificates,
    clientId: "kubernetes",
    ports: [ours, other],
    alice: { account: "alice@example.com", password: "password" },
    filled,
    async restart() {
      await server.stop("SIGKILL");
      server = await start();
    },
    stop: () => server.stop("SIGKILL"),
  };
}

interface Place {
  readonly program: string;
  readonly folder: string;
  /** Of its files in the folder. */
  readonly name: string;
  readonly port: number;
  readonly certificates: Certificates;
}

/** One that serves what `config` says at `https://localhost:PORT`, with alice, and everything in memory. */
export function serveDex({ program, folder, name, port, certificates }: Place, config: Registered): Promise<ServerProcess> {
  const file = (ending: string, text: string) => {
    writeFileSync(join(folder, `${name}.${ending}`), text, { mode: 0o600 });
    return join(folder, `${name}.${ending}`);
  };
  const whole = {
    ...config,
    storage: { type: "memory" },
    web: { https: `127.0.0.1:${port}`, tlsCert: file("pem", certificates.certPem), tlsKey: file("key", certificates.keyPem) },
    enablePasswordDB: true,
    staticPasswords: [{ email: "alice@example.com", hash, username: "alice", userID: "08a8684b-db88-4b73-90a9-3cd1661f5466", groups: ["developers", "admins"] }],
  };
  return startServer({
    program,
    args: ["serve", file("yaml", stringify(whole))],
    cwd: folder,
    log: join(folder, `${name}.log`),
    ready: () => answersOver(`https://localhost:${port}/.well-known/openid-configuration`, certificates.caPem),
    within: 60,
  });
}
