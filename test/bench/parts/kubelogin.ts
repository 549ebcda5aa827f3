import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lacksChecksums, withoutChecksums } from "../../go-modules.ts";
import { findProgram } from "../../programs.ts";
import type { Missing } from "./missing.ts";

export interface Kubelogin {
  readonly name: string;
  readonly file: string;
}

const source = "github.com/int128/kubelogin";
/** Newest first; a module proxy may have only some of them. */
const versions = ["1.36.2", "1.36.0", "1.35.2", "1.34.2"];

/** The one that KUBELOGIN names, the one on the PATH, the one that was built before, or one that Go builds now. */
export function findKubelogin(root: string, tell: (what: string) => void): Kubelogin | Missing {
  const given = process.env["KUBELOGIN"] ?? findProgram("kubelogin", "kubectl-oidc_login");
  if (given !== undefined) return checked(given);
  const cache = join(root, "node_modules/.cache/bench-kubelogin");
  const built = versions.map((version) => join(cache, version, "kubelogin")).find((file) => existsSync(file));
  return built !== undefined ? checked(built) : build(cache, tell);
}

/** What is asked of it. Azure has another program of this name, and old versions have fewer options. */
const options = ["--oidc-issuer-url", "--token-cache-storage", "--force-refresh", "--browser-command", "device-code"];

function checked(file: string): Kubelogin | Missing {
  const help = spawnSync(file, ["get-token", "--help"], { encoding: "utf8" });
  if (help.error !== undefined) return { missing: `${file} cannot be started` };
  const lacks = options.filter((option) => !`${help.stdout}${help.stderr}`.includes(option));
  if (lacks.length > 0) return { missing: `${file} is another program or an old one: its get-token has no ${lacks.join(", ")}` };
  const version = /\d+(?:\.\d+)+/.exec(spawnSync(file, ["--version"], { encoding: "utf8" }).stdout.split("(")[0] ?? "")?.[0];
  return { name: version === undefined ? "kubelogin" : `kubelogin ${version}`, file };
}

/** As a requirement of an empty module: `go install` also asks for the list of all versions, which not every proxy gives. */
function build(cache: string, tell: (what: string) => void): Kubelogin | Missing {
  const go = findProgram("go");
  if (go === undefined) return { missing: "no kubelogin: none on the PATH, KUBELOGIN names none, and there is no Go to build one" };
  let reason = "";
  for (const version of versions) {
    tell(`building kubelogin ${version}`);
    const folder = join(cache, version);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "go.mod"), `module bench\n\ngo 1.24\n\nrequire ${source} v${version}\n`);
    const flags = ["-mod=mod", "-trimpath", "-ldflags", `-s -w -X main.version=v${version}`, "-o", "kubelogin"];
    const run = (more: Readonly<Record<string, string>>) =>
      spawnSync(go, ["build", ...flags, source], {
        cwd: folder,
        env: { ...process.env, GOFLAGS: "", ...more },
        encoding: "utf8",
        stdio: ["ignore", "ignore", "pipe"],
        timeout: 600_000,
        killSignal: "SIGKILL",
      });
    let ran = run({});
    if (ran.status !== 0 && lacksChecksums(ran.stderr)) {
      tell("the checksum database is out of reach: kubelogin is taken without it");
      ran = run(withoutChecksums);
    }
    if (ran.status === 0) return checked(join(folder, "kubelogin"));
    reason = ran.error?.message ?? ran.stderr.trim().split("\n").at(-1) ?? "";
    // What keeps it from this version would keep it from the others, for minutes each.
    if (!/not found|unknown revision|invalid version|\b(404|410)\b/i.test(ran.stderr)) break;
  }
  return { missing: `no kubelogin: none on the PATH, KUBELOGIN names none, and Go could not build one: ${reason}` };
}
