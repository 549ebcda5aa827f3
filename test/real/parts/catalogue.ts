import { clientGo } from "./client-go.ts";
import { etcd } from "./etcd.ts";
import { helm } from "./helm.ts";
import { javascriptClient } from "./javascript-client.ts";
import { k9s } from "./k9s.ts";
import { kubeApiserver } from "./kube-apiserver.ts";
import { kubectlNewest, kubectlOldest, kubectlOnPath, kubectlV1beta1 } from "./kubectl.ts";
import type { Part } from "./part.ts";
import { pythonClient } from "./python-client.ts";

/** Every part, in the order in which they are made: what takes long comes last. */
export const catalogue: readonly Part[] = [kubectlOnPath, kubectlV1beta1, javascriptClient, pythonClient, clientGo, etcd, kubectlNewest, kubectlOldest, helm, kubeApiserver, k9s];
