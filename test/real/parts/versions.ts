/** Which of each part is made. One table, so that a look tells what the ring proves; docs/reference/compatibility.md says what ran. */
export const versions = {
  etcd: "v3.7.3",
  "kube-apiserver": "v1.37.2",
  "kubectl-newest": "v1.37.2",
  /** The oldest with client.authentication.k8s.io/v1 whose module can be had; the interface came with 1.22. */
  "kubectl-oldest": "v1.23.3",
  /** Debian 12's: before client.authentication.k8s.io/v1. */
  "kubectl-v1beta1": "v1.20.2",
  "client-go": "v0.37.2",
  "python-client": "37.0.2",
  helm: "v3.22.0",
  k9s: "v0.50.16",
  keycloak: "26.7.3",
  dex: "v2.45.1",
  /** The newest whose version its module's name allows; the later ones are called v25 and v26. */
  hydra: "v2.3.0",
} as const;
