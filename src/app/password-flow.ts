import { fail } from "../errors/oidc-error.ts";
import type { TokenAnswer } from "../ports.ts";
import type { FlowContext } from "./flow-context.ts";

/** The password grant (RFC 6749, section 4.3): the password comes from a file, a flag, or a prompt on a terminal. */
export async function passwordFlow(context: FlowContext): Promise<TokenAnswer> {
  const { settings, world } = context.run;
  const username = settings.username ?? (await ask(context, "kubectl-oidc: user name: ", false));
  const password =
    settings.password?.reveal() ??
    (settings.passwordFile === undefined ? await ask(context, "kubectl-oidc: password: ", true) : await world.readSecretFile("password-file", settings.passwordFile));
  const parameters: readonly (readonly [string, string])[] = [
    ["scope", context.request.scope],
    ...settings.audiences.map((audience) => ["resource", audience] as const),
    ...Object.entries(settings.extraParams),
    ["username", username],
    ["password", password],
  ];
  return world.undisturbed(async () => {
    const answer = await context.provider.machineGrant("password", parameters, context.before);
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
