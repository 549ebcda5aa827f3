import { fail } from "../errors/oidc-error.ts";
import type { TokenAnswer } from "../ports.ts";
import type { FlowContext } from "./flow-context.ts";

/** client_credentials and password: no browser. The password comes from a file, a flag, or a prompt on a terminal. */
export async function machineFlow(context: FlowContext): Promise<TokenAnswer> {
  const { settings, world } = context.run;
  const scope = settings.grant === "client-credentials" ? context.request.scope.replace(" offline_access", "") : context.request.scope;
  const parameters: (readonly [string, string])[] = [
    ["scope", scope],
    ...settings.audiences.map((audience) => ["resource", audience] as const),
    ...Object.entries(settings.extraParams),
  ];
  if (settings.grant === "password") {
    const username = settings.username ?? (await ask(context, "kubectl-oidc: user name: ", false));
    const password =
      settings.password?.reveal() ??
      (settings.passwordFile === undefined ? await ask(context, "kubectl-oidc: password: ", true) : world.readSecretFile("password-file", settings.passwordFile));
    parameters.push(["username", username], ["password", password]);
  }
  return world.undisturbed(async () => {
    const answer = await context.provider.machineGrant(settings.grant === "password" ? "password" : "client_credentials", parameters, context.before);
    await context.keep(answer);
    return answer;
  });
}

async function ask(context: FlowContext, prompt: string, hidden: boolean): Promise<string> {
  const { world } = context.run;
  if (!context.mayPrompt || !world.terminal.stdinIsTerminal)
    fail("LOGIN_REQUIRED", { message: "a password is needed and nothing may be asked", hint: "use --username and --password-file" });
  try {
    return await world.terminal.ask(prompt, { hidden, signal: context.signal });
  } catch (error) {
    throw context.timeoutOr(error);
  }
}
