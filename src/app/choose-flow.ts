import { otherFlowLine } from "../core/browser-path.ts";
import { browserComesBack } from "../core/surroundings.ts";
import { fail } from "../errors/oidc-error.ts";
import type { IssuerFacts, TokenAnswer } from "../ports.ts";
import { browserFlow, keyboardFlow } from "./browser-flow.ts";
import { deviceFlow } from "./device-flow.ts";
import type { FlowContext, LoginOrigin } from "./flow-context.ts";
import { passwordFlow } from "./password-flow.ts";
import type { Run } from "./world.ts";

export type Flow = (context: FlowContext) => Promise<TokenAnswer>;

/**
 * The flow that was asked for. `auto`: the browser; the device grant or a paste only when no browser can be reached from here, or none comes
 * back (cli.md, --grant-type), and that is said. BROWSER_UNAVAILABLE.
 */
export function chooseFlow(run: Run, origin: LoginOrigin, facts: IssuerFacts): Flow {
  const { settings, world } = run;
  switch (settings.grant) {
    case "authcode":
      return browserFlow;
    case "authcode-keyboard":
      return keyboardFlow;
    case "device-code":
      return deviceFlow;
    case "password":
      return passwordFlow;
    case "client-credentials":
    case "token-exchange":
    case "jwt-bearer":
    case "subject-token":
      return fail("UNEXPECTED", { message: "a machine's grant is no flow for a person" });
    case "auto": {
      const where = world.surroundings();
      // Who names a command, or wants none, knows where their browser is.
      const isChosen = settings.skipOpenBrowser || settings.browserCommand !== undefined;
      if (isChosen || (world.browser.available() && browserComesBack(where))) return browserFlow;
      const mayPaste = origin.command === "login" && world.terminal.stdinIsTerminal && world.terminal.stderrIsTerminal;
      if (!facts.supportsDevice && !mayPaste) return fail("BROWSER_UNAVAILABLE");
      world.terminal.say(otherFlowLine(where, facts.supportsDevice ? "device" : "paste"));
      return facts.supportsDevice ? deviceFlow : browserFlow;
    }
    default:
      return settings.grant satisfies never;
  }
}

/** How a login by this flow is made, in the option's words. A paste is the browser's flow too. */
export const grantOf = ({ settings }: Run, flow: Flow): string => (flow === passwordFlow ? settings.grant : flow === deviceFlow ? "device-code" : "authcode");
