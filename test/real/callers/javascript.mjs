// Asks for the pods through the official JavaScript client, some times: `node javascript.mjs ROUNDS PAUSE-MS`. One line a request.
import { setTimeout as pause } from "node:timers/promises";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";

const [rounds = 1, wait = 0] = process.argv.slice(2).map(Number);
const config = new KubeConfig();
config.loadFromDefault();
const client = config.makeApiClient(CoreV1Api);
for (let round = 0; round < rounds; round++) {
  if (round > 0) await pause(wait);
  const { items } = await client.listNamespacedPod({ namespace: "default" });
  process.stdout.write(`${items.map((pod) => pod.metadata?.name).join(",")}\n`);
}
// Without an end by hand, so that whatever the plugin left open would hold this program.
