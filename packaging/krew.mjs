import { architectureOf, completerName, contents, release } from "./release.mjs";
import { programFile } from "./targets.mjs";

/** The platforms that Krew can tell apart: an operating system and an architecture; of Windows, no arm64. */
export const krewTakes = ({ os, cpu, libc }) => libc !== "musl" && !(os === "windows" && cpu === "arm64");

/**
 * Krew's manifest. `archives`: { target, url, sha256 }, those of other systems are left out. The same file is plugins/oidc.yaml of an index of
 * our own (`kubectl krew index add`).
 */
export function krewManifest(archives) {
  const lines = [
    "apiVersion: krew.googlecontainertools.github.com/v1alpha2",
    "kind: Plugin",
    "metadata:",
    "  name: oidc",
    "spec:",
    `  version: ${release.tag}`,
    `  homepage: ${release.homepage}`,
    `  shortDescription: ${release.summary}`,
    "  description: |",
    ...release.description
      .map((paragraph) => wrapped(paragraph, 4))
      .join("\n\n")
      .split("\n"),
    "  caveats: |",
    "    Write your kubeconfig: kubectl oidc setup --context NAME --oidc-issuer-url=URL --oidc-client-id=ID",
    "    A kubeconfig names kubectl-oidc, which Krew's bin folder must have on the PATH: client-go programs other than kubectl start it too.",
    "    For completion of `kubectl oidc`, link kubectl_complete-oidc out of Krew's store into a folder on the PATH.",
    "  platforms:",
    ...archives.filter(({ target }) => krewTakes(target)).flatMap(platform),
  ];
  return `${lines.join("\n")}\n`;
}

function platform({ target, url, sha256 }) {
  const files = [programFile(target), completerName(target), contents.licence, contents.thirdParty];
  return [
    "  - selector:",
    "      matchLabels:",
    `        os: ${target.os}`,
    `        arch: ${architectureOf(target)}`,
    `    uri: ${url}`,
    // Quoted: digits alone, or digits around one e, are a number in YAML.
    `    sha256: "${sha256}"`,
    `    bin: ${programFile(target)}`,
    "    files:",
    ...files.flatMap((file) => [`    - from: ${file}`, "      to: ."]),
  ];
}

/** Text in lines of at most 100 characters, each behind `indent` spaces. */
export function wrapped(text, indent, width = 100) {
  const lines = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => " ".repeat(indent) + line).join("\n");
}
