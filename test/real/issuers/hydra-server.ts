import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { noteSecret } from "../../canaries.ts";
import { blockOf } from "../../docs/fenced-blocks.ts";
import { makeCertificates } from "../../issuer/certificates.ts";
import { freePort, startServer } from "../server-process.ts";
import { answersOver } from "./answers-over.ts";
import { startLoginPages } from "./hydra-pages.ts";
import type { RealIssuer } from "./real-issuer.ts";

const run = promisify(execFile);

export interface HydraServer extends RealIssuer {
  /** Secret of the client `pipeline`. */
  readonly pipelineSecret: string;
  /** Ends it and starts it again, with its database and at the same address. */
  restart(whileAway: () => Promise<void>): Promise<void>;
}

/** Hydra with its database in a file of the folder, the clients that docs/how-to/hydra.md registers, and login pages that tell it what that page says. */
export async function startHydra(program: string, folder: string): Promise<HydraServer> {
  const certificates = await makeCertificates(folder);
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const [port, adminPort, first, second] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const issuer = `https://localhost:${port}`;
  const admin = `http://127.0.0.1:${adminPort}`;
  const pipelineSecret = "pipeline-throw-away-secret";
  noteSecret("client secret", pipelineSecret);
  const alice = { account: "alice", password: "alice-throw-away" };
  const filled = (text: string) =>
    text
      .replaceAll("https://id.example.com", issuer)
      .replaceAll("http://127.0.0.1:4445", admin)
      .replaceAll("localhost:8000", `localhost:${first}`)
      .replaceAll("localhost:18000", `localhost:${second}`)
      .replaceAll("PIPELINE-SECRET", pipelineSecret);
  const pages = await startLoginPages(
    () => admin,
    [alice],
    () => JSON.parse(blockOf("hydra.md", "hydra-consent")) as object,
  );
  const tls = { enabled: true, cert: { path: file("server.pem", certificates.certPem) }, key: { path: file("server.key", certificates.keyPem) } };
  const config = {
    serve: { public: { host: "127.0.0.1", port, tls }, admin: { host: "127.0.0.1", port: adminPort, tls: { enabled: false } } },
    urls: { self: { issuer }, login: `${pages.origin}/login`, consent: `${pages.origin}/consent` },
    dsn: `sqlite://${join(folder, "hydra.sqlite")}?_fk=true`,
    secrets: { system: ["a-system-secret-of-no-consequence"] },
  };
  const configFile = file("hydra.yaml", JSON.stringify(config));
  const start = () =>
    startServer({
      program,
      args: ["serve", "all", "--sqa-opt-out", "--config", configFile],
      cwd: folder,
      log: join(folder, "hydra.log"),
      ready: () => answersOver(`${issuer}/.well-known/openid-configuration`, certificates.caPem),
      within: 90,
    });
  try {
    await run(program, ["migrate", "sql", "up", "--yes", "--read-from-env=false", "--config", configFile, config.dsn], { cwd: folder, timeout: 90_000 });
    let server = await start();
    const stop = async () => {
      pages.stop();
      await server.stop("SIGKILL");
    };
    const env = { PATH: `${dirname(program)}:${process.env["PATH"]}`, HOME: folder };
    for (const name of ["hydra-register", "hydra-register-machine"]) {
      await run("bash", ["-euo", "pipefail", "-c", filled(blockOf("hydra.md", name))], { env, cwd: folder, timeout: 60_000 }).catch(async (error: Error) => {
        await stop();
        throw error;
      });
    }
    return {
      issuer,
      certificates,
      clientId: "kubernetes",
      ports: [first, second],
      pages: [pages.origin],
      alice,
      pipelineSecret,
      filled,
      async restart(whileAway) {
        await server.stop("SIGKILL");
        await whileAway();
        server = await start();
      },
      stop,
    };
  } catch (error) {
    pages.stop();
    throw error;
  }
}
