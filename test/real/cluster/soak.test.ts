import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../with-parts.ts";
import { events, type Field, type Lane, makeDoor, seeded } from "./soak-chaos.ts";
import { configMap, type Stage, setStage } from "./stage.ts";

/** A token lives this long in the place of five minutes. Seconds. */
const lifetime = 6;
const seconds = Number(process.env["SOAK_SECONDS"] ?? 150);
const seed = Number(process.env["SOAK_SEED"] ?? 20261128);
const people = 6;
/** However slow the machine is, so many are made. */
const fewestRefreshes = Math.round(seconds * 1.4);

type Happened = (...names: readonly (keyof typeof events)[]) => number;
interface Excuse {
  readonly says: RegExp;
  /** So many commands at most can have had it, by what happened. */
  readonly atMost: (happened: Happened, refreshes: number) => number;
}

/** What a disturbance may do to a command; anything else, a login above all, is a fault. The first that fits counts. */
const excuses = {
  // Whoever needs it while it is away; it is away behind its shut door, too. A person who is back at once may come twice.
  "issuer away": { says: /\[ISSUER_UNREACHABLE\]/, atMost: (happened) => 2 * people * happened("issuer restarted", "issuer without an answer", "plugin killed") },
  "plugin ended": {
    says: /\[INTERRUPTED\]|signal: killed|exit code (-1|1(30|43|29|37))$/m,
    atMost: (happened) => happened("plugin sent SIGTERM", "plugin sent SIGINT", "plugin sent SIGHUP", "plugin killed"),
  },
  // Or not yet ready; a command without it ends at once, and the next one is made.
  "API server away": {
    says: /connection refused|connection reset|EOF|was refused|unable to handle the request|not yet ready|ServiceUnavailable|apiserver not ready|the server is currently unable/i,
    atMost: (happened) => 6 * people * happened("API server restarted"),
  },
  // A server that has just started asks the issuer for its keys first, and one that sees a new key asks again. Now and then a token runs out between
  // the plugin and the server: it had a second left.
  unauthorized: {
    says: /Unauthorized|must be logged in/,
    atMost: (happened, refreshes) => people * happened("API server restarted", "issuer restarted") + refreshes / 20,
  },
  // The API server answers before its authorizer knows the role bindings again.
  forbidden: { says: /is forbidden: User "oidc:(alice|bob)" cannot list/, atMost: (happened) => 3 * people * happened("API server restarted") },
  "kubectl killed": { says: /^(?!)/, atMost: (happened) => happened("kubectl killed above its plugin") },
} as const satisfies Readonly<Record<string, Excuse>>;
type Cause = keyof typeof excuses;
const causes = Object.keys(excuses) as Cause[];

describeWith(["kube-apiserver", "kubectl-newest", "etcd"], (parts) => {
  const door = makeDoor();
  let stage: Stage;
  let lanes: Lane[];
  beforeAll(async () => {
    stage = await setStage(parts, { ttl: { idToken: lifetime, accessToken: lifetime }, before: door.before });
    const { authenticationConfiguration, roleBinding } = await stage.plan("--group=developers");
    await stage.cluster.reconfigure(authenticationConfiguration);
    await stage.bind(parts["kubectl-newest"].path, roleBinding);
    await stage.apply(parts["kubectl-newest"].path, configMap("shared"));
    lanes = Array.from({ length: people }, (_, n) => ({ person: stage.person(n % 2 === 0 ? "alice" : "bob"), running: undefined }));
    for (const { person } of lanes) {
      const setup = await person.oidc("setup", ...stage.identity, "--yes");
      expect(setup.stderr).toMatch(/the API server sees oidc:(alice|bob)/);
    }
  });
  afterAll(() => stage?.stop());

  it(`tokens of ${lifetime} seconds for minutes, restarts and kills: no session is lost, nobody logs in again`, { timeout: (4 * seconds + 120) * 1000 }, async () => {
    const field: Field = { stage, door, lanes, random: seeded(seed) };
    const windows = (lane: Lane) => (existsSync(logOf(lane)) ? readFileSync(logOf(lane), "utf8").trim().split("\n").length : 0);
    const logOf = ({ person }: Lane) => join(person.home.folder, "browser.log");
    const started = Date.now();
    const refreshed = () => stage.count("token", "refresh_token");
    const goesOn = () => {
      const past = (Date.now() - started) / 1000;
      return faults.length === 0 && past < 4 * seconds && (past < seconds || refreshed() <= fewestRefreshes);
    };
    let good = 0;
    const disturbed = new Map<Cause, number>();
    const faults: string[] = [];
    const happened = new Map<string, number>();

    const work = async (lane: Lane) => {
      while (goesOn()) {
        lane.running = lane.person.start(parts["kubectl-newest"].path, ["get", "configmaps", "--request-timeout=20s"], { DEMO_BROWSER_LOG: logOf(lane) });
        // Rejects when something was left running, or a secret was printed.
        const { status, signal, stdout, stderr } = await lane.running.ended.catch((error: Error) => ({ status: -1, signal: null, stdout: "", stderr: error.message }));
        const cause = signal !== null ? "kubectl killed" : causeOf(stderr);
        if (status === 0 && stdout.includes("shared")) good++;
        else if (cause !== undefined) disturbed.set(cause, (disturbed.get(cause) ?? 0) + 1);
        else faults.push(`exit ${status}: ${stderr}`);
        if (/LOGIN_|SESSION_|open this URL/.test(stderr)) faults.push(stderr);
        // Nobody tries again at once what has just failed.
        await wait(status === 0 ? 150 : 600);
      }
    };
    const disturb = async () => {
      const names = Object.keys(events);
      // Each once, then any.
      for (let n = 0; goesOn(); n++) {
        const name = names[n < names.length ? n : Math.floor(field.random() * names.length)] ?? "";
        if (await events[name]?.(field)) happened.set(name, (happened.get(name) ?? 0) + 1);
        await wait(200 + field.random() * 1_500);
      }
    };
    await Promise.all([...lanes.map(work), disturb()]);

    const refreshes = refreshed();
    const said = `seed ${seed}, ${Math.round((Date.now() - started) / 1000)} s: ${refreshes} refreshes, ${good} commands; disturbed: ${listed(disturbed)}; by: ${listed(happened)}`;
    process.stdout.write(`${said}\n`);
    expect(faults, said).toEqual([]);
    const times: Happened = (...names) => names.reduce((sum, name) => sum + (happened.get(name) ?? 0), 0);
    const tooMany = causes.filter((cause) => (disturbed.get(cause) ?? 0) > excuses[cause].atMost(times, refreshes));
    expect(tooMany, said).toEqual([]);
    expect(good, said).toBeGreaterThan(2 * [...disturbed.values()].reduce((sum, count) => sum + count, 0));
    for (const { person } of lanes) {
      const calm = await person.run(parts["kubectl-newest"].path, ["get", "configmaps"]);
      expect(calm, said).toMatchObject({ status: 0, stderr: "" });
    }
    expect(lanes.map(windows)).toEqual(lanes.map(() => 0));
    expect(stage.count("token", "authorization_code")).toBe(people);
    expect(stage.refused("token"), said).toEqual([]);
    expect(refreshes, said).toBeGreaterThan(fewestRefreshes);
    expect([...happened.keys()].sort()).toEqual(Object.keys(events).sort());
  });
});

const causeOf = (stderr: string) => causes.find((cause) => excuses[cause].says.test(stderr));
const listed = (counts: ReadonlyMap<string, number>) => [...counts].map(([name, times]) => `${name} ${times}×`).join(", ");
