import { appendFileSync, readFileSync } from "node:fs";
import { accounts } from "./accounts.ts";
import { titleOf } from "./html-forms.ts";
import { clickThrough } from "./scripted-browser.ts";

/**
 * A browser with its person, for `--browser-command "node …/browser-command.mjs"`. The last argument is the URL; DEMO_CA_FILE,
 * DEMO_ACCOUNT and DEMO_PASSWORD say how to log in (without them the person of `login_hint` does), DEMO_DENY=1 that the person says no,
 * DEMO_ORIGINS where else its pages lie. The outcome goes as one line to the file
 * DEMO_BROWSER_LOG. Exits 0 when the last page came with status 200.
 */
async function main(): Promise<number> {
  const { DEMO_CA_FILE, DEMO_ACCOUNT, DEMO_PASSWORD, DEMO_DENY, DEMO_ORIGINS, DEMO_BROWSER_LOG } = process.env;
  const record = (line: string) => {
    if (DEMO_BROWSER_LOG !== undefined) appendFileSync(DEMO_BROWSER_LOG, `${line}\n`);
  };
  try {
    const url = process.argv.at(-1) ?? "";
    const ca = DEMO_CA_FILE === undefined ? undefined : readFileSync(DEMO_CA_FILE, "utf8");
    const hinted = /^(\w+)@/.exec(new URL(url).searchParams.get("login_hint") ?? "")?.[1];
    const account = DEMO_ACCOUNT ?? hinted;
    const password = DEMO_PASSWORD ?? (account === "alice" || account === "bob" ? accounts[account].password : undefined);
    const { status, body } = await clickThrough(url, { ca, account, password, deny: DEMO_DENY === "1", origins: DEMO_ORIGINS?.split(",") });
    record(`${status} ${titleOf(body)}`);
    return status === 200 ? 0 : 1;
  } catch (error) {
    // The message only: a URL of this flow carries codes, and Node's errors name hosts and ports alone.
    record(`failed ${error instanceof Error ? error.message : "without a reason"}`);
    return 1;
  }
}

process.exitCode = await main();
