import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { findKubelogin } from "./kubelogin.ts";

let folder: string;
const said: string[] = [];
const find = () => findKubelogin(folder, (what) => said.push(what));
const calls = () => readFileSync(join(folder, "calls"), "utf8").trimEnd().split("\n");

/** A kubelogin as far as the bench asks it. */
const program = "#!/bin/sh\necho kubelogin v1.36.0 '(go)' --oidc-issuer-url --token-cache-storage --force-refresh --browser-command device-code\n";

/** A `go` that notes its folder and runs these lines. */
const putGo = (...lines: readonly string[]) =>
  writeFileSync(join(folder, "go"), ["#!/bin/sh", `echo "$PWD $GONOSUMDB" >>'${folder}/calls'`, ...lines, ""].join("\n"), { mode: 0o755 });
const builds = `cat >kubelogin <<'END'\n${program}END\nchmod +x kubelogin`;
const noDatabase = "verifying github.com/int128/kubelogin@v1.36.2/go.mod: Get https://sum.golang.org/lookup/x: dial tcp: i/o timeout";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-kubelogin-"));
  said.length = 0;
  vi.stubEnv("PATH", `${folder}:/usr/bin:/bin`);
  vi.stubEnv("KUBELOGIN", undefined);
  vi.stubEnv("GONOSUMDB", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe.skipIf(process.platform === "win32")("a kubelogin that Go builds", () => {
  it("is taken without the checksum database where that is out of reach, which is said; the next run builds nothing", () => {
    putGo(`if [ -z "$GONOSUMDB" ]; then echo '${noDatabase}' >&2; exit 1; fi`, builds);
    expect(find()).toMatchObject({ name: "kubelogin 1.36.0" });
    expect(said).toContain("the checksum database is out of reach: kubelogin is taken without it");
    expect(calls().map((line) => line.split(" ")[1])).toEqual(["", "*"]);
    expect(find()).toMatchObject({ name: "kubelogin 1.36.0" });
    expect(calls()).toHaveLength(2);
  });

  it("is not taken without it when a sum differs", () => {
    putGo("echo 'verifying module: checksum mismatch (sum.golang.org)' >&2; exit 1");
    expect(find()).toMatchObject({ missing: expect.stringMatching(/Go could not build one: verifying module: checksum mismatch/) });
    expect(calls()).toHaveLength(1);
  });

  it("is an older one where the proxy lacks the newest", () => {
    putGo(`case "$PWD" in *1.36.2) echo "reading v1.36.2.mod: 404 Not Found" >&2; exit 1 ;; esac`, builds);
    expect(find()).toMatchObject({ file: expect.stringContaining("1.36.0") });
  });

  it("that cannot be built says why in Go's last line, and is not tried again in other versions for nothing", () => {
    putGo("echo first >&2; echo 'dial tcp: connection refused' >&2; exit 1");
    expect(find()).toEqual({ missing: "no kubelogin: none on the PATH, KUBELOGIN names none, and Go could not build one: dial tcp: connection refused" });
    expect(calls()).toHaveLength(1);
  });
});
