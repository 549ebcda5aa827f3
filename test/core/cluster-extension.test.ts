import { describe, expect, it } from "vitest";
import { extensionName, withClusterOptions, withFormerOptions } from "../../src/core/cluster-extension.ts";
import { allowedFromCluster } from "../../src/core/settings.ts";
import { clusterOptions } from "../../src/core/cluster-extension.ts";

const cluster = { server: "https://k8s.example.com", "certificate-authority-data": "Q0E=" };
const extended = (extension: object, ...others: object[]) => ({ ...cluster, extensions: [...others, { name: extensionName, extension }] });

describe("what setup writes into a cluster's extension", () => {
  it("is what a cluster may say", () => expect(clusterOptions.every(allowedFromCluster)).toBe(true));

  it("stands beside what is there, one value as a text, several as a list", () => {
    expect(withClusterOptions(cluster, { "oidc-audience": ["a"] })).toEqual(extended({ "oidc-audience": "a" }));
    const before = extended({ "oidc-client-id": "k", "oidc-audience": "old" }, { name: "minikube", extension: { x: 1 } });
    expect(withClusterOptions(before, { "oidc-audience": ["a", "b"], "acr-values": ["mfa"] })).toEqual(
      extended({ "oidc-client-id": "k", "oidc-audience": ["a", "b"], "acr-values": "mfa" }, { name: "minikube", extension: { x: 1 } }),
    );
  });

  it("of nothing changes nothing, not even the object", () => expect(withClusterOptions(cluster, {})).toBe(cluster));

  it("goes again, and leaves what others say there", () => {
    expect(withFormerOptions(withClusterOptions(cluster, { "oidc-audience": ["a"] }), cluster)).toEqual(cluster);
    const before = extended({ "oidc-audience": "old", "oidc-client-id": "k" });
    expect(withFormerOptions(withClusterOptions(before, { "oidc-audience": ["a"], "max-age": ["60"] }), before)).toEqual(
      extended({ "oidc-client-id": "k", "oidc-audience": "old" }),
    );
    const meanwhile = withClusterOptions(extended({ account: "ann" }, { name: "other", extension: {} }), { "oidc-audience": ["a"] });
    expect(withFormerOptions(meanwhile, cluster)).toEqual(extended({ account: "ann" }, { name: "other", extension: {} }));
  });
});
