import { readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { fileKeys, parseConfig } from "../../src/adapters/config-text.ts";
import { places } from "../../src/adapters/paths.ts";
import { configExample, configKeys } from "../../src/cli/config-keys.ts";
import { folderTable, writtenFiles } from "../../src/cli/file-table.ts";
import { codeOf } from "../fakes/codes.ts";
import { execInfo, runWithBrowser } from "../e2e/program.ts";
import { home, issuer, options, session, useStage } from "../e2e/stage.ts";

/** `DATA/sessions/KEY.json` as a pattern of a path below DATA. */
const patterns = writtenFiles.map(({ path }) => {
  const words = { KEY: "[0-9a-f]+", HASH: "[0-9a-f]+", NAME: "[\\w.-]+", N: "(\\d+|refused)" } as const;
  const source = path
    .replace("DATA/", "")
    .replaceAll(".", "\\.")
    .replaceAll(/\b(KEY|HASH|NAME|N)\b/g, (word) => words[word as keyof typeof words]);
  return { path, pattern: new RegExp(`^${source}$`) };
});

describe("the store", () => {
  useStage();

  it("holds the files of docs/reference/files.md and no others, 0600 in folders 0700", async () => {
    const context = { KUBERNETES_EXEC_INFO: execInfo({ server: "https://k8s.example.com" }) };
    await runWithBrowser(home, session(), context);
    await home.run(session(), context);
    await home.run(session("--force-refresh"), context);
    issuer.play.discovery = () => ({ status: 200, body: "{}" });
    await home.run(session("--account=other", "--grant-type=device-code"), context);
    const all = readdirSync(home.data, { recursive: true, encoding: "utf8" }).map((name) => join(home.data, name));
    const files = all.filter((path) => statSync(path).isFile());
    const found = files.map((path) => relative(home.data, path));
    expect(found.filter((name) => !patterns.some(({ pattern }) => pattern.test(name)))).toEqual([]);
    for (const kind of ["sessions", "credentials", "refresh", "memo", "locks", "issuers", "asked"])
      expect(
        found.some((name) => name.startsWith(`${kind}/`)),
        `${kind}: ${found}`,
      ).toBe(true);
    for (const path of all) expect(statSync(path).mode & 0o777, path).toBe(statSync(path).isFile() ? 0o600 : 0o700);
    expect((await home.run(["status", ...options().filter((option) => option.startsWith("--token-cache-dir"))])).status).toBe(0);
  });
});

describe("docs/reference/files.md", () => {
  it("names the folders that the program chooses", () => {
    const environment = { HOME: "/home/ann", LOCALAPPDATA: "L", ProgramData: "P" };
    const folder = (name: string) => folderTable.find((row) => row.name === name);
    const asHome = (text: string | undefined) => text?.split(", else ").at(-1)?.replace("~", "/home/ann");
    expect(asHome(folder("DATA")?.linux)).toBe(places("linux", environment).data);
    expect(asHome(folder("DATA")?.macos)).toBe(places("darwin", environment).data);
    expect(folder("DATA")?.windows.replace("%LOCALAPPDATA%", "L")).toBe(places("win32", environment).data);
    expect(`${folder("MACHINE")?.linux}/config.yaml`).toBe(places("linux", environment).machineConfig);
    expect(`${folder("MACHINE")?.macos}/config.yaml`).toBe(places("darwin", environment).machineConfig);
    expect(places("win32", environment).machineConfig).toContain(folder("MACHINE")?.windows.replace("%ProgramData%", "P"));
  });

  it("has an example of config.yaml that the program takes, and every key", () => {
    expect(parseConfig(configExample, "config.yaml")).toMatchObject({ strict: true, profiles: { work: { "oidc-client-id": ["kubernetes"] } } });
    const empty: Readonly<Record<string, string>> = { strict: "false", audit: "false", allow: "{}", defaults: "{}", profiles: "{}" };
    for (const [key] of configKeys) expect(() => parseConfig(`${key}: ${empty[key]}\n`, "config.yaml"), key).not.toThrow();
    expect(codeOf(() => parseConfig("other: true\n", "config.yaml"))).toBe("SETTINGS_INVALID");
    expect([...fileKeys].sort()).toEqual(configKeys.map(([key]) => key).sort());
  });
});
