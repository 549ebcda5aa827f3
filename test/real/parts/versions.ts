/** Which of each part is made. One table, so that a look tells what the ring proves; docs/reference/compatibility.md says what ran. */
export const versions = {
  etcd: "v3.7.3",
  "kube-apiserver": "v1.37.2",
  "kubectl-newest": "v1.37.2",
  /** The oldest with client.authentication.k8s.io/v1 whose module can be had; the interface came with 1.22. */
  "kubectl-oldest": "v1.23.3",
  /** Debian 12's: before client.authentication.k8s.io/v1. */
  "kubectl-v1beta1": "v1.20.2",
} as const;
