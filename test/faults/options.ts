import { parseArgs } from "node:util";
import { type Storage, storages } from "./rounds.ts";

export interface Options {
  readonly seeds: readonly number[];
  /** Seeded rounds for each seed. */
  readonly rounds: number;
  /** Every point once: unless seeds or rounds were chosen by hand. */
  readonly systematic: boolean;
  readonly crowds: boolean;
  readonly storages: readonly Storage[];
  readonly replay: string | undefined;
}

/** The gate's own: found nothing special with them, but they are always the same. */
const fixedSeeds = [1, 20_260, 7_919];
const fixedRounds = 40;

/** Throws for what it does not know. */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: "string" },
      rounds: { type: "string" },
      fresh: { type: "boolean" },
      storage: { type: "string", multiple: true },
      replay: { type: "string" },
      only: { type: "string" },
      dist: { type: "string" },
    },
  });
  const number = (text: string) => {
    if (!/^\d{1,9}$/.test(text)) throw new Error(`not a number: ${text}`);
    return Number(text);
  };
  const chosen = values.seed !== undefined ? [number(values.seed)] : values.fresh ? [Math.floor(Math.random() * 1_000_000_000)] : undefined;
  const { only } = values;
  if (only !== undefined && only !== "systematic" && only !== "crowds") throw new Error(`--only takes systematic or crowds, not ${only}`);
  const byHand = chosen !== undefined || values.rounds !== undefined;
  const wanted = values.storage ?? [...storages];
  return {
    seeds: only !== undefined ? [] : (chosen ?? (values.rounds === undefined ? fixedSeeds : fixedSeeds.slice(0, 1))),
    rounds: values.rounds === undefined ? (chosen === undefined ? fixedRounds : 300) : number(values.rounds),
    systematic: only === undefined ? !byHand : only === "systematic",
    crowds: only === undefined ? !byHand : only === "crowds",
    storages: storages.filter((name) => wanted.includes(name)),
    replay: values.replay,
  };
}
