/** `npm run demo`: a real OpenID Provider, a TLS API server, a kubeconfig, and the whole story of a session. */
import { accounts } from "../test/issuer/accounts.ts";
import { findClient, listPods } from "./clients.ts";
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

async function interactive(): Promise<number> {
  const stage = await setStage({ scripted: false });
  console.log(`issuer      ${stage.provider.issuer} (your browser will warn of its throw-away certificate)`);
  console.log(`API server  ${stage.api.url}`);
  console.log(
    `log in as   ${Object.entries(accounts)
      .map(([name, { password }]) => `${name} / ${password}`)
      .join(", ")}`,
  );
  console.log(
    `\nin another terminal:\n\n  export KUBECONFIG=${stage.kubeconfig}\n  kubectl get pods\n  kubectl auth whoami\n\nthe session lies under XDG_DATA_HOME; to keep it out of your home as well:\n`,
  );
  console.log(`  export XDG_DATA_HOME=${stage.env["XDG_DATA_HOME"]}\n\nCtrl-C ends the demo.`);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await stage.strike();
  return 0;
}

if (process.argv.includes("--client")) await listPods();
else process.exitCode = await (process.argv.includes("--interactive") ? interactive() : scripted());
