import { etcd } from "./etcd.ts";
import { kubeApiserver } from "./kube-apiserver.ts";
import { kubectlNewest, kubectlOldest, kubectlOnPath, kubectlV1beta1 } from "./kubectl.ts";
import type { Part } from "./part.ts";

/** Every part, in the order in which they are made: what takes long comes last. */
export const catalogue: readonly Part[] = [kubectlOnPath, kubectlV1beta1, etcd, kubectlNewest, kubectlOldest, kubeApiserver];
