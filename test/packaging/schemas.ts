/** The rules of the package managers that our manifests rely on, as JSON schemas in our own words. Draft 2020-12. */

const text = { type: "string", minLength: 1 };
const https = { type: "string", pattern: "^https://[^\\s]+$" };
const closed = (properties: Readonly<Record<string, unknown>>, optional: readonly string[] = []) => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});

/** Krew: docs/developer-guide/plugin-manifest and the checks of its internal/index/validation. */
export const krewSchema = closed({
  apiVersion: { const: "krew.googlecontainertools.github.com/v1alpha2" },
  kind: { const: "Plugin" },
  metadata: closed({ name: { type: "string", pattern: "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$" } }),
  spec: closed({
    version: { type: "string", pattern: "^v\\d+\\.\\d+\\.\\d+(-[0-9A-Za-z.-]+)?$" },
    homepage: https,
    shortDescription: { type: "string", minLength: 1, maxLength: 50, pattern: "[^.]$" },
    description: text,
    caveats: text,
    platforms: {
      type: "array",
      minItems: 1,
      items: closed({
        selector: closed({ matchLabels: closed({ os: { enum: ["linux", "darwin", "windows"] }, arch: { enum: ["amd64", "arm64"] } }) }),
        uri: { type: "string", pattern: "^https://[^\\s]+\\.(tar\\.gz|zip)$" },
        sha256: { type: "string", pattern: "^[a-f0-9]{64}$" },
        bin: text,
        files: { type: "array", minItems: 1, items: closed({ from: { type: "string", pattern: "^[^/.][^\\\\]*$" }, to: { const: "." } }) },
      }),
    },
  }),
});

const scoopArchitectures = (item: unknown) => closed({ "64bit": item, arm64: item });

/** Scoop: the fields of its schema.json that are used here; `autoupdate` must make the same file name out of $version. */
export const scoopSchema = closed({
  version: { type: "string", pattern: "^[\\w.+-]+$" },
  description: text,
  homepage: https,
  license: text,
  architecture: scoopArchitectures(closed({ url: { type: "string", pattern: "^https://[^\\s]+\\.zip$" }, hash: { type: "string", pattern: "^[a-fA-F0-9]{64}$" } })),
  bin: { type: "array", items: text },
  checkver: closed({ github: { type: "string", pattern: "^https://github\\.com/[^/]+/[^/]+$" } }),
  autoupdate: closed({
    architecture: scoopArchitectures(closed({ url: { type: "string", pattern: "^https://[^\\s]*\\$version[^\\s]*\\.zip$" } })),
    hash: closed({ url: { const: "$baseurl/SHA256SUMS" } }),
  }),
});

const wingetHead = {
  PackageIdentifier: { type: "string", pattern: '^[^.\\s\\\\/:*?"<>|]{1,32}(\\.[^.\\s\\\\/:*?"<>|]{1,32}){1,7}$' },
  PackageVersion: { type: "string", pattern: '^[^\\\\/:*?"<>|]{1,128}$' },
  ManifestVersion: { const: "1.10.0" },
};

/** winget: the fields of its manifest schemas 1.10 that are used here. */
export const wingetSchemas = {
  version: closed({ ...wingetHead, DefaultLocale: { const: "en-US" }, ManifestType: { const: "version" } }),
  installer: closed({
    ...wingetHead,
    InstallerType: { const: "zip" },
    NestedInstallerType: { const: "portable" },
    NestedInstallerFiles: { type: "array", items: closed({ RelativeFilePath: text, PortableCommandAlias: { type: "string", minLength: 1, maxLength: 40 } }) },
    Commands: { type: "array", maxItems: 16, items: { type: "string", minLength: 1, maxLength: 40 } },
    UpgradeBehavior: { const: "uninstallPrevious" },
    ReleaseDate: { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\d$" },
    Installers: {
      type: "array",
      minItems: 1,
      items: closed({
        Architecture: { enum: ["x64", "arm64"] },
        InstallerUrl: { type: "string", pattern: "^https://[^\\s]+\\.zip$", maxLength: 2048 },
        InstallerSha256: { type: "string", pattern: "^[A-F0-9]{64}$" },
      }),
    },
    ManifestType: { const: "installer" },
  }),
  defaultLocale: closed({
    ...wingetHead,
    PackageLocale: { const: "en-US" },
    Publisher: { type: "string", minLength: 2, maxLength: 256 },
    PublisherUrl: https,
    PublisherSupportUrl: https,
    PackageName: { type: "string", minLength: 2, maxLength: 256 },
    PackageUrl: https,
    License: { type: "string", minLength: 3, maxLength: 512 },
    LicenseUrl: https,
    ShortDescription: { type: "string", minLength: 3, maxLength: 256 },
    Description: { type: "string", minLength: 3, maxLength: 10_000 },
    Moniker: { type: "string", minLength: 1, maxLength: 40 },
    Tags: { type: "array", maxItems: 16, uniqueItems: true, items: { type: "string", minLength: 1, maxLength: 40 } },
    ReleaseNotesUrl: https,
    InstallationNotes: { type: "string", minLength: 1, maxLength: 10_000 },
    ManifestType: { const: "defaultLocale" },
  }),
};
