import type { RequestListener } from "node:http";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Person } from "../person.ts";
import type { RunningProgram } from "../run-program.ts";
import type { Stage } from "./stage.ts";

/** A number below 1 each time; the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The issuer's front door: shut, whoever comes finds the connection closed, and the issuer has heard of nothing. */
export interface Door {
  readonly before: (issuer: RequestListener) => RequestListener;
  /** Resolves when everybody who was inside has their answer. */
  shut(): Promise<void>;
  open(): void;
}

export function makeDoor(): Door {
  const state = { open: true, inside: 0 };
  return {
    before: (issuer) => (request, response) => {
      if (!state.open) return request.destroy();
      state.inside++;
      response.once("close", () => {
        state.inside--;
      });
      return issuer(request, response);
    },
    async shut() {
      state.open = false;
      while (state.inside > 0) await wait(5);
    },
    open() {
      state.open = true;
    },
  };
}

/** One person who runs one command after the other. */
export interface Lane {
  readonly person: Person;
  running: RunningProgram | undefined;
}

export interface Field {
  readonly stage: Stage;
  readonly door: Door;
  readonly lanes: readonly Lane[];
  readonly random: () => number;
}

/** True when the refresh token that the issuer would take lies in the person's store. */
function hasStored({ memory }: Stage, { home }: Person): boolean {
  const folder = join(home.data, "refresh");
  try {
    const items = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    return memory.storage.unspentRefreshTokens().some((token) => items.some((item) => item.includes(token)));
  } catch {
    // A file was replaced while it was listed.
    return false;
  }
}

/**
 * With the door shut: waits until every answer that was given is stored. Between the issuer's commit and that moment a kill, or a cut
 * connection, costs the session, by what rotation is (docs/explanation/reliability.md, "the one window"): that is not what is looked at here.
 */
async function settled({ stage, door, lanes }: Field): Promise<void> {
  await door.shut();
  for (const end = Date.now() + 10_000; !lanes.every(({ person }) => hasStored(stage, person)); await wait(10)) {
    if (Date.now() > end) throw new Error("ten seconds after its answer a refresh token is not in the store");
  }
}

/** The plugin that this lane's kubectl runs, as soon as it runs one; undefined when it does not for two seconds. */
async function pluginOf(lane: Lane): Promise<number | undefined> {
  for (const end = Date.now() + 2_000; Date.now() < end; await wait(10)) {
    const found = [...(lane.running?.below() ?? [])].find(([, command]) => /kubectl-oidc get-token/.test(command));
    if (found !== undefined) return found[0];
  }
  return undefined;
}

function signal(pid: number | undefined, name: NodeJS.Signals): boolean {
  try {
    return pid !== undefined && process.kill(pid, name);
  } catch {
    return false;
  }
}

const anyLane = ({ lanes, random }: Field) => lanes[Math.floor(random() * lanes.length)] as Lane;

/** What happens to whom; each gives false when it found nobody. */
export const events: Readonly<Record<string, (field: Field) => Promise<boolean>>> = {
  "issuer restarted": async (field) => {
    const { stage, door, random } = field;
    await settled(field);
    await stage.stopIssuer();
    if (random() < 0.3) await stage.memory.rotateKeys({ keepOld: true });
    await wait(random() * 1_500);
    await stage.startIssuer();
    door.open();
    return true;
  },
  "issuer without an answer": async ({ door, random }) => {
    await door.shut();
    await wait(random() * 2_000);
    door.open();
    return true;
  },
  "API server restarted": async ({ stage, random }) => {
    await stage.cluster.stopServer(random() < 0.5 ? "SIGKILL" : "SIGTERM");
    await stage.cluster.startServer();
    return true;
  },
  "plugin sent SIGTERM": async (field) => signal(await pluginOf(anyLane(field)), "SIGTERM"),
  "plugin sent SIGINT": async (field) => signal(await pluginOf(anyLane(field)), "SIGINT"),
  "plugin sent SIGHUP": async (field) => signal(await pluginOf(anyLane(field)), "SIGHUP"),
  "kubectl killed above its plugin": async (field) => {
    const lane = anyLane(field);
    return (await pluginOf(lane)) !== undefined && lane.running?.child.kill("SIGKILL") === true;
  },
  "plugin killed": async (field) => {
    await settled(field);
    const killed = signal(await pluginOf(anyLane(field)), "SIGKILL");
    field.door.open();
    return killed;
  },
};
