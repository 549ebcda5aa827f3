import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditLine, parseAuditLine } from "../../src/core/audit-entry.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { writeKubeconfig } from "../cluster/kubeconfig.ts";
import { type Home, newHome, programPath } from "../e2e/program.ts";
import { accounts } from "../issuer/accounts.ts";
import { type Certificates, makeCertificates } from "../issuer/certificates.ts";
import { type RunningProvider, startProvider } from "../issuer/provider.ts";
import { hasProgram } from "../programs.ts";
import { blockOf, blocksOf } from "./fenced-blocks.ts";

// docs/how-to/audit.md as it stands there, with kubectl, a real OpenID Provider and an API server that notes credential ids.
const page = "audit.md";
const run = promisify(execFile);
const missing = ["bash", "jq", "kubectl"].filter((name) => !hasProgram(name));
const browserProgram = resolve(import.meta.dirname, "../../dist-dev/browser-command.mjs");

it("every block of the page is marked, and every mark is unique", () => {
  const names = blocksOf(page).map(({ name, text }) => name ?? text);
  expect([...new Set(names)]).toEqual(["turn-on", "entry", "event", "credential-id", "look-up"]);
});

it("the entry is one that the program writes and reads", () => {
  const text = blockOf(page, "entry");
  const entry = parseAuditLine(text.trimEnd());
  expect(entry).toMatchObject({ event: "refresh", jti: expect.any(String) });
  if (typeof entry === "object") expect(auditLine(entry)).toBe(text);
});

describe.skipIf(missing.length > 0)(
  `from an action in the cluster to the login${missing.length > 0 ? ` (not on the PATH: ${missing.join(", ")})` : ""}`,
  { timeout: 60_000 },
  () => {
    let home: Home;
    let certificates: Certificates;
    let provider: RunningProvider;
    let api: ApiServer;

    beforeAll(async () => {
      home = newHome();
      certificates = await makeCertificates(home.folder);
      provider = await startProvider({ certificates });
      api = await startApiServer({ certificates, issuer: provider.issuer, issuerCa: certificates.caPem, clientId: "kubernetes" });
      mkdirSync(join(home.folder, "bin"));
      symlinkSync(programPath, join(home.folder, "bin", "kubectl-oidc"));
      mkdirSync(home.config, { recursive: true, mode: 0o700 });
      const mine = { "token-cache-storage": "disk", "listen-address": "127.0.0.1:0", "browser-command": `'${process.execPath}' '${browserProgram}'` };
      writeFileSync(join(home.config, "config.yaml"), `defaults: ${JSON.stringify(mine)}\n${blockOf(page, "turn-on")}`, { mode: 0o600 });
      writeKubeconfig(join(home.folder, "kubeconfig"), {
        server: api.url,
        caFile: certificates.caFile,
        command: "kubectl-oidc",
        args: ["get-token", `--oidc-issuer-url=${provider.issuer}`, "--oidc-client-id=kubernetes", `--certificate-authority=${certificates.caFile}`],
      });
    }, 60_000);
    afterAll(async () => {
      await api.stop();
      await provider.stop();
      home.remove();
    });

    const bash = (script: string) =>
      run("bash", ["--norc", "-euo", "pipefail", "-c", script], {
        cwd: home.folder,
        env: {
          ...home.env,
          PATH: `${join(home.folder, "bin")}:${home.env["PATH"]}`,
          DEMO_CA_FILE: certificates.caFile,
          DEMO_ACCOUNT: "alice",
          DEMO_PASSWORD: accounts.alice.password,
        },
        timeout: 25_000,
      });
    const rowsOf = (table: string) =>
      table
        .trimEnd()
        .split("\n")
        .map((row) => row.split(/ {2,}/));
    /** What the API server notes of whoever asks. */
    async function seenId(): Promise<string> {
      const { stdout } = await bash("kubectl auth whoami -o json");
      return JSON.parse(stdout).status.userInfo.extra["authentication.kubernetes.io/credential-id"][0] as string;
    }

    it("kubectl's first token: the id that the API server notes leads to this login, on this computer, by kubectl", async () => {
      const first = await seenId();
      // A second one, of the same login: kubectl finds the first too old.
      const [name = ""] = readdirSync(join(home.data, "credentials"));
      const file = join(home.data, "credentials", name);
      const now = Date.now() / 1000;
      writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), receivedAt: now - 300, expiresAt: now + 1 }), { mode: 0o600 });
      const second = await seenId();
      expect(second).not.toBe(first);

      const event = JSON.parse(blockOf(page, "event"));
      event.user.extra["authentication.kubernetes.io/credential-id"] = [second];
      const others = [
        { ...event, verb: "get" },
        { ...event, objectRef: { ...event.objectRef, name: "other" }, user: { ...event.user, extra: {} } },
      ];
      writeFileSync(join(home.folder, "audit.log"), [...others, event].map((one) => `${JSON.stringify(one)}\n`).join(""));
      const { stdout: id } = await bash(blockOf(page, "credential-id"));
      expect(id).toBe(`${second}\n`);

      const [prompt = "", shownSentence = "", ...shownTable] = blockOf(page, "look-up").trimEnd().split("\n");
      const command = prompt.replace(/^\$ /, "").replace(/JTI=\S+/, id.trim());
      const found = await bash(command);
      const pattern = (sentence: string) =>
        sentence
          .replace(/of \S+ at \S+ \(/, "of X at X (")
          .replace(/\), .*Z \(.*\), on \S+ as \S+, by /, "), T, on H as U, by ")
          .replace(/\(\d+\)/, "(N)");
      expect(pattern(found.stderr.trimEnd())).toBe(pattern(shownSentence));
      const [header, ...rows] = rowsOf(found.stdout);
      const [shownHeader, ...shownRows] = rowsOf(shownTable.join("\n"));
      expect(header).toEqual(shownHeader);
      expect(rows.map((row) => row[1])).toEqual(shownRows.map((row) => row[1]));
      const [handed, , login] = rows;
      expect(handed?.slice(2)).toEqual(["alice", api.url, second.replace("JTI=", ""), expect.stringMatching(/^kubectl \(\d+\)$/)]);
      expect(login?.slice(2)).toEqual(["alice", api.url, first.replace("JTI=", ""), expect.stringMatching(/^kubectl \(\d+\)$/)]);
    });
  },
);
