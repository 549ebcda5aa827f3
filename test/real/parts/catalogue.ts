import { clientGo } from "./client-go.ts";
import { dex } from "./dex.ts";
import { etcd } from "./etcd.ts";
import { helm } from "./helm.ts";
import { hydra } from "./hydra.ts";
import { javascriptClient } from "./javascript-client.ts";
import { k9s } from "./k9s.ts";
import { keycloak } from "./keycloak.ts";
import { kubeApiserver } from "./kube-apiserver.ts";
import { kubectlNewest, kubectlOldest, kubectlOnPath, kubectlV1beta1 } from "./kubectl.ts";
import type { Part } from "./part.ts";
import { pythonClient } from "./python-client.ts";

/** Every part, in the order in which they are made: what takes long comes last. */
export const catalogue: readonly Part[] = [
  kubectlOnPath,
  kubectlV1beta1,
  etcd,
  kubectlNewest,
  kubectlOldest,
  kubeApiserver,
  javascriptClient,
  pythonClient,
  clientGo,
  keycloak,
  hydra,
  dex,
  helm,
  k9s,
];
