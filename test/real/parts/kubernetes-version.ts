/** The modules of Kubernetes' staging folder are published as v0.MINOR.PATCH. */
export const publishedStaging = (version: string) => version.replace(/^v1\./, "v0.");

/** What a release's build script sets; the API server takes its compatibility version from it, and refuses to start without one. */
export function kubernetesVersion(version: string): Readonly<Record<string, string>> {
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: "archive", gitCommit: "unknown", buildDate: "1970-01-01T00:00:00Z" };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`k8s.io/component-base/version.${name}`, value]));
}
