// The one description of a release. Every package, manifest and page of a download is generated from it and from targets.mjs.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { targets } from "./targets.mjs";

const manifest = JSON.parse(readFileSync(resolve(import.meta.dirname, "../package.json"), "utf8"));
const repository = "https://github.com/kubectl-oidc/kubectl-oidc";

export const release = {
  name: "kubectl-oidc",
  version: manifest.version,
  tag: `v${manifest.version}`,
  summary: "Log in to Kubernetes with OpenID Connect",
  description: [
    "kubectl-oidc is a credential plugin for kubectl. The first command opens a browser (or shows a device code); the refresh token goes into the keychain of the operating system, and every later command costs a few milliseconds.",
    "It takes the flags of kubelogin, writes the kubeconfig for you (kubectl oidc setup), moves sessions over from other plugins (kubectl oidc migrate), and tells what is wrong with a machine, a session or a cluster (kubectl oidc doctor).",
  ],
  publisher: "The kubectl-oidc authors",
  // GitHub's address for the organization: nothing that is sent there arrives. Faults are reported in the repository.
  maintainer: "The kubectl-oidc authors <kubectl-oidc@users.noreply.github.com>",
  licence: manifest.license,
  repository,
  homepage: repository,
  issues: manifest.bugs.url,
  keywords: manifest.keywords,
  downloads: `${repository}/releases/download/v${manifest.version}`,
};

const architectures = { x64: "amd64", arm64: "arm64" };

/** A target's architecture in the words of Go, Debian and Krew. */
export const architectureOf = ({ cpu }) => architectures[cpu];

/** The name of a target's archive, as it is downloaded. */
export function archiveName(target, version = release.version) {
  const musl = target.libc === "musl" ? "_musl" : "";
  return `${release.name}_${version}_${target.os}_${architectureOf(target)}${musl}.${target.os === "windows" ? "zip" : "tar.gz"}`;
}

/** Debian's word for a pre-release sorts before the release: 1.0.0~rc.1. */
export const debianVersion = (version = release.version) => version.replace("-", "~");

/** Targets with a Debian package: those of glibc. */
export const debianTargets = targets.filter(({ os, libc }) => os === "linux" && libc === "glibc");
export const debianName = (target, version = release.version) => `${release.name}_${debianVersion(version)}_${architectureOf(target)}.deb`;

/** Inside an archive (and below a package's folders), whatever the platform. */
export const contents = {
  licence: "LICENSE",
  thirdParty: "THIRD-PARTY-LICENSES.txt",
  man: "man/kubectl-oidc.1",
  completions: {
    bash: "completions/kubectl-oidc.bash",
    zsh: "completions/_kubectl-oidc",
    fish: "completions/kubectl-oidc.fish",
    powershell: "completions/kubectl-oidc.ps1",
  },
};

/** Asked by kubectl what may follow `kubectl oidc …`; the npm package has it as a program of its own. */
export const completerName = ({ os }) => (os === "windows" ? "kubectl_complete-oidc.cmd" : "kubectl_complete-oidc");

export function completerText({ os }) {
  if (os === "windows") return '@echo off\r\n"%~dp0kubectl-oidc.exe" __complete %*\r\n';
  return [
    "#!/bin/sh",
    "# kubectl asks this what may follow `kubectl oidc`. The program lies beside it, or beside the link that leads here.",
    'beside=$(dirname -- "$0")/kubectl-oidc',
    'if [ -x "$beside" ]; then exec "$beside" __complete "$@"; fi',
    'exec kubectl-oidc __complete "$@"',
    "",
  ].join("\n");
}
