import { contents, release } from "./release.mjs";

const cpus = [
  { cpu: "arm64", block: "on_arm" },
  { cpu: "x64", block: "on_intel" },
];
const systems = [
  { os: "darwin", block: "on_macos" },
  { os: "linux", block: "on_linux" },
];

/** The formula for a tap of our own. `archives`: { target, url, sha256 }; Homebrew runs on macOS and on Linux with glibc. */
export function homebrewFormula(archives) {
  const blocks = systems.flatMap(({ os, block }) => {
    const parts = cpus.flatMap(({ cpu, block: inner }) => {
      const found = archives.find(({ target }) => target.os === os && target.cpu === cpu && target.libc !== "musl");
      return found === undefined ? [] : [`    ${inner} do`, `      url "${found.url}"`, `      sha256 "${found.sha256}"`, "    end"];
    });
    return parts.length === 0 ? [] : [`  ${block} do`, ...parts, "  end", ""];
  });
  const { bash, zsh, fish } = contents.completions;
  return `${[
    "class KubectlOidc < Formula",
    `  desc "${release.summary}"`,
    `  homepage "${release.homepage}"`,
    `  version "${release.version}"`,
    `  license "${release.licence}"`,
    "",
    ...blocks,
    "  def install",
    '    bin.install "kubectl-oidc", "kubectl_complete-oidc"',
    `    man1.install "${contents.man}"`,
    `    bash_completion.install "${bash}" => "kubectl-oidc"`,
    `    zsh_completion.install "${zsh}"`,
    `    fish_completion.install "${fish}"`,
    `    prefix.install "${contents.licence}", "${contents.thirdParty}"`,
    "  end",
    "",
    "  test do",
    '    assert_match version.to_s, shell_output("#{bin}/kubectl-oidc version")',
    '    output = shell_output("#{bin}/kubectl-oidc get-token 2>&1", 40)',
    '    assert_match "SETTINGS_INCOMPLETE", output',
    "  end",
    "end",
  ].join("\n")}\n`;
}
