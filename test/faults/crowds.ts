import { join } from "node:path";
import { type Ended, type Home, newHome, type Program } from "./home.ts";
import { type RotatingIssuer, startRotatingIssuer } from "./issuer.ts";
import { browse, getToken, logInByBrowser } from "./sessions.ts";

interface Crowd {
  readonly name: string;
  readonly faults: readonly string[];
}

const refreshers = 200;
const times = 3;
const firstCallers = 60;

/** Many calls at once, with a store on disk: one refresh, one login window (docs: get-token's promise 4). */
export async function crowds(program: Program, folder: string): Promise<readonly Crowd[]> {
  const issuer = await startRotatingIssuer();
  try {
    const home = newHome(program, join(folder, "crowd"));
    const found = [await atTheBrowser(newHome(program, join(folder, "first-crowd")), issuer)];
    await logInByBrowser(home, getToken(issuer.url, "disk"));
    for (let i = 0; i < times; i++) found.push(await atTheRefresh(home, issuer));
    return found;
  } finally {
    await issuer.stop();
  }
}

async function atTheRefresh(home: Home, issuer: RotatingIssuer): Promise<Crowd> {
  home.ageToken();
  issuer.begin({});
  const started = performance.now();
  const all = await home.burst(refreshers, getToken(issuer.url, "disk", "--non-interactive"));
  const faults = endings(all, issuer);
  if (issuer.asked !== 1) faults.push(`${issuer.asked} refresh requests`);
  return { name: `${refreshers} calls with an expired token, ${seconds(started)}`, faults };
}

async function atTheBrowser(home: Home, issuer: RotatingIssuer): Promise<Crowd> {
  const started = performance.now();
  const before = issuer.logins;
  const all = Array.from({ length: firstCallers }, () => home.start(getToken(issuer.url, "disk")));
  const urls = all.map((one) => one.sees(/open this URL in your browser: (\S+)/));
  const first = await Promise.race(urls.map(async (url) => (await url)?.[1] ?? new Promise<never>(() => undefined)));
  // Everybody is there before the person is done.
  await Promise.all(all.map((one) => one.sees(/open this URL|waiting for the login/)));
  await browse(first);
  const ended = await Promise.all(all.map((one) => one.ended));
  const faults = endings(ended, issuer);
  const shown = ended.filter(({ stderr }) => stderr.includes("open this URL")).length;
  if (shown !== 1) faults.push(`${shown} login windows`);
  if (issuer.logins - before !== 1) faults.push(`${issuer.logins - before} logins`);
  return { name: `${firstCallers} first calls, ${seconds(started)}`, faults };
}

function endings(all: readonly Pick<Ended, "status" | "stdout" | "stderr">[], issuer: RotatingIssuer): string[] {
  const bad = all.filter(({ status }) => status !== 0);
  const others = all.filter(({ status, stdout }) => status === 0 && !stdout.includes(issuer.newest));
  return [
    ...(bad.length === 0 ? [] : [`${bad.length} failed, the first: ${bad[0]?.stderr.split("\n")[0]}`]),
    ...(others.length === 0 ? [] : [`${others.length} printed another token`]),
  ];
}

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
