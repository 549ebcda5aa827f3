/** `npm run demo`: a real OpenID Provider, a TLS API server, a kubeconfig, and the whole story of a session. */
import { findClient, listPods } from "./clients.ts";
import { interactive } from "./interactive.ts";
import { setStage } from "./stage.ts";
import { StepFailed, tellStory } from "./story.ts";

async function scripted(): Promise<number> {
  const started = performance.now();
  const stage = await setStage({ scripted: true });
  try {
    const client = findClient();
    console.log(`issuer      ${stage.provider.issuer}`);
    console.log(`API server  ${stage.api.url}`);
    console.log(`client      ${client.name}`);
    console.log("storage     disk, in a temporary folder (the demo leaves nothing in your keychain)");
    await tellStory(stage, client);
    console.log(`\nall steps went as they must (${Math.round((performance.now() - started) / 1000)} s)`);
    return 0;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    console.error(`\n${error.message}`);
    return 1;
  } finally {
    await stage.strike();
  }
}

if (process.argv.includes("--client")) await listPods();
else process.exitCode = await (process.argv.includes("--interactive") ? interactive() : scripted());
