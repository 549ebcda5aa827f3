import { archiveName, architectureOf, completerName, release } from "./release.mjs";
import { programFile } from "./targets.mjs";

const words = { amd64: "64bit", arm64: "arm64" };

/** Scoop's manifest, for a bucket of our own. `archives`: { target, url, sha256 }. */
export function scoopManifest(archives) {
  const windows = archives.filter(({ target }) => target.os === "windows");
  const each = (value) => Object.fromEntries(windows.map((archive) => [words[architectureOf(archive.target)], value(archive)]));
  const manifest = {
    version: release.version,
    description: `${release.summary}: a credential plugin for kubectl`,
    homepage: release.homepage,
    license: release.licence,
    architecture: each(({ url, sha256 }) => ({ url, hash: sha256 })),
    bin: [programFile({ os: "windows" }), completerName({ os: "windows" })],
    checkver: { github: release.repository },
    autoupdate: {
      architecture: each(({ target }) => ({ url: `${release.repository}/releases/download/v$version/${archiveName(target, "$version")}` })),
      hash: { url: "$baseurl/SHA256SUMS" },
    },
  };
  return `${JSON.stringify(manifest, undefined, 4)}\n`;
}
