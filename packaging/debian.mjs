// Debian packages, built by dpkg-deb. The executable is what it is (its own runtime), so there is no source package and no debhelper.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { wrapped } from "./krew.mjs";
import { architectureOf, debianVersion, release } from "./release.mjs";

/**
 * Builds the package of a target into `file`. `parts`: executable, completer, licence, thirdParty, man and completions as bytes; `seconds`: the time
 * of the release; `isQuick` packs less well. The same input gives the same bytes.
 */
export function buildDebian({ target, parts, seconds, file, isQuick = false }) {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-deb-"));
  try {
    // Whatever the umask of whoever builds, these are the modes inside.
    const put = (name, data, mode = 0o644) => {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, data);
      chmodSync(path, mode);
    };
    const files = payload(parts, seconds);
    for (const [name, data, mode] of files) put(name, data, mode);
    symlinkSync("kubectl-oidc.1.gz", join(folder, "usr/share/man/man1/kubectl_complete-oidc.1.gz"));
    put("DEBIAN/control", control(target, installedKilobytes(parts)));
    put("DEBIAN/md5sums", md5sums(files));
    execFileSync("chmod", ["-R", "u=rwX,go=rX", folder]);
    execFileSync("dpkg-deb", ["--root-owner-group", "-Zxz", ...(isQuick ? ["-z0"] : []), "--threads-max=2", "--build", folder, file], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, SOURCE_DATE_EPOCH: String(seconds) },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Everything but DEBIAN/: name, bytes, mode. */
function payload({ executable, completer, thirdParty, man, completions }, seconds) {
  const doc = "usr/share/doc/kubectl-oidc";
  return [
    ["usr/bin/kubectl-oidc", executable, 0o755],
    ["usr/bin/kubectl_complete-oidc", completer, 0o755],
    ["usr/share/man/man1/kubectl-oidc.1.gz", packed(man)],
    ["usr/share/bash-completion/completions/kubectl-oidc", completions.bash],
    ["usr/share/zsh/vendor-completions/_kubectl-oidc", completions.zsh],
    ["usr/share/fish/vendor_completions.d/kubectl-oidc.fish", completions.fish],
    [`${doc}/changelog.gz`, packed(changelog(seconds))],
    [`${doc}/copyright`, copyright()],
    [`${doc}/THIRD-PARTY-LICENSES.txt.gz`, packed(thirdParty)],
    ["usr/share/lintian/overrides/kubectl-oidc", overrides],
  ];
}

/** dpkg --verify looks for damage with these; they are no protection. */
const md5sums = (files) => files.map(([name, data]) => `${createHash("md5").update(data).digest("hex")}  ${name}\n`).join("");

const packed = (data) => {
  const bytes = gzipSync(data, { level: 9 });
  bytes[9] = 255;
  return bytes;
};

const installedKilobytes = ({ executable, thirdParty }) => Math.ceil((executable.length + thirdParty.length / 4) / 1024) + 40;

export const control = (target, kilobytes) =>
  `${[
    `Package: ${release.name}`,
    `Version: ${debianVersion()}`,
    `Architecture: ${architectureOf(target)}`,
    `Maintainer: ${release.maintainer}`,
    `Installed-Size: ${kilobytes}`,
    "Depends: libc6 (>= 2.17)",
    // The keychain is a service that the desktop brings, spoken to over its D-Bus; without one there are disk and helpers.
    "Suggests: gnome-keyring, kubectl | kubernetes-client",
    "Section: admin",
    "Priority: optional",
    `Homepage: ${release.homepage}`,
    "Description: log in to Kubernetes with OpenID Connect",
    release.description.map((paragraph) => wrapped(paragraph, 1, 78)).join("\n .\n"),
  ].join("\n")}\n`;

/** Debian policy 4.4. Debian keeps a changelog of packages; what changed in the program stands with its release. */
const changelog = (seconds) =>
  `${release.name} (${debianVersion()}) stable; urgency=medium\n\n  * ${release.version}: see ${release.repository}/releases/tag/${release.tag}\n\n -- ${release.maintainer}  ${rfc2822(seconds)}\n`;

const rfc2822 = (seconds) => new Date(seconds * 1000).toUTCString().replace("GMT", "+0000");

/** DEP-5. The short licences of what is inside stand in THIRD-PARTY-LICENSES.txt.gz beside it, which this names. */
const copyright = () =>
  `${[
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
    `Upstream-Name: ${release.name}`,
    `Upstream-Contact: ${release.issues}`,
    `Source: ${release.repository}`,
    "Comment: The executable contains the runtime of Bun, a keychain addon and npm",
    " packages. All of them, with their licences and where their source is, are in",
    " /usr/share/doc/kubectl-oidc/THIRD-PARTY-LICENSES.txt.gz.",
    "",
    "Files: *",
    `Copyright: 2026 ${release.publisher}`,
    `License: ${release.licence}`,
    "",
    "License: Apache-2.0",
    " On Debian systems the full text of the Apache License 2.0 is in",
    " /usr/share/common-licenses/Apache-2.0.",
  ].join("\n")}\n`;

/** What lintian says that cannot be otherwise, each with its reason. */
const overrides = `${[
  "# The program is appended to its runtime; strip would cut it off.",
  "kubectl-oidc: unstripped-binary-or-object",
  "# Linked into the runtime by its makers, who release a new one for a fault in any of them.",
  "kubectl-oidc: embedded-library",
  "# The runtime is linked by its makers, without these.",
  "kubectl-oidc: hardening-no-pie",
  "kubectl-oidc: hardening-no-relro",
].join("\n")}\n`;
