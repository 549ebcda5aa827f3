import { completerName, release } from "./release.mjs";
import { programFile } from "./targets.mjs";

/** The version of winget's manifests that these are written for. */
export const wingetSchema = "1.10.0";
const identifier = "KubectlOidc.KubectlOidc";

/** Where winget-pkgs has the files of a version. */
export const wingetFolder = `manifests/k/${identifier.replace(".", "/")}/${release.version}`;

/** winget's three manifests, name → text. `archives`: { target, url, sha256 }; `day`: of the release, YYYY-MM-DD. */
export function wingetManifests(archives, day) {
  return {
    [`${identifier}.yaml`]: manifest("version", ["DefaultLocale: en-US"]),
    [`${identifier}.installer.yaml`]: manifest("installer", [
      "InstallerType: zip",
      "NestedInstallerType: portable",
      "NestedInstallerFiles:",
      `- RelativeFilePath: ${programFile({ os: "windows" })}`,
      "  PortableCommandAlias: kubectl-oidc",
      "Commands:",
      "- kubectl-oidc",
      "UpgradeBehavior: uninstallPrevious",
      `ReleaseDate: ${day}`,
      "Installers:",
      // A sum is quoted: digits alone, or digits around one E, are a number in YAML.
      ...archives
        .filter(({ target }) => target.os === "windows")
        .flatMap(({ target, url, sha256 }) => [`- Architecture: ${target.cpu}`, `  InstallerUrl: ${url}`, `  InstallerSha256: "${sha256.toUpperCase()}"`]),
    ]),
    [`${identifier}.locale.en-US.yaml`]: manifest("defaultLocale", [
      "PackageLocale: en-US",
      `Publisher: ${release.publisher}`,
      `PublisherUrl: https://github.com/${release.name}`,
      `PublisherSupportUrl: ${release.issues}`,
      `PackageName: ${release.name}`,
      `PackageUrl: ${release.homepage}`,
      `License: ${release.licence}`,
      `LicenseUrl: ${release.repository}/blob/${release.tag}/LICENSE`,
      `ShortDescription: ${release.summary}`,
      "Description: |-",
      ...release.description.map((paragraph) => `  ${paragraph}`),
      "Moniker: kubectl-oidc",
      "Tags:",
      ...release.keywords.map((word) => `- ${word}`),
      `ReleaseNotesUrl: ${release.repository}/releases/tag/${release.tag}`,
      "InstallationNotes: |-",
      `  For completion of kubectl oidc, put ${completerName({ os: "windows" })} of the archive into a folder on the PATH.`,
    ]),
  };
}

const manifest = (type, lines) =>
  `${[
    `# yaml-language-server: $schema=https://aka.ms/winget-manifest.${type}.${wingetSchema}.schema.json`,
    "",
    `PackageIdentifier: ${identifier}`,
    `PackageVersion: ${release.version}`,
    ...lines,
    `ManifestType: ${type}`,
    `ManifestVersion: ${wingetSchema}`,
  ].join("\n")}\n`;
