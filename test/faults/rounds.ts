import { type HelperFault, helperFaults } from "./helper.ts";
import type { IssuerAction, IssuerPoint } from "./issuer.ts";
import { type KeyringFault, keyringFaults } from "./keyring.ts";
import type { ProgramAction } from "./preload/program-plan.ts";
import { mixed, pick, randomFrom } from "../random.ts";

export const storages = ["disk", "helper", "keyring"] as const;
export type Storage = (typeof storages)[number];
export const isStorage = (text: string | undefined): text is Storage => storages.some((name) => name === text);

/** What goes wrong in one round. */
export type Fault =
  | { readonly where: "issuer"; readonly point: IssuerPoint; readonly action: IssuerAction; readonly delayMs: number }
  /** At the operation with this number of one refresh (test/faults/preload); with `store` after the write of the new token failed too. */
  | { readonly where: "program"; readonly action: ProgramAction; readonly at: number; readonly store?: HelperFault | KeyringFault }
  /** In the middle of the write of the new token. */
  | { readonly where: "store"; readonly action: HelperFault | KeyringFault };

export interface Round {
  /** What `--replay` takes. */
  readonly id: string;
  readonly storage: Storage;
  readonly fault: Fault;
  /** The issuer forgives a token that is used again soon. */
  readonly grace: boolean;
  /** The cached token is about to expire, so that it is no way out. */
  readonly aged: boolean;
  readonly salt: number;
}

/** The kinds of operation of one refresh in their order, by storage; as seen at the start of this run. None: not to be tested. */
export type Course = Readonly<Record<Storage, readonly string[]>>;

const issuerFaults: readonly (readonly [IssuerPoint, readonly IssuerAction[]])[] = [
  ["before-commit", ["hold", "cut", "kill", "503", "429"]],
  ["after-commit", ["hold", "cut", "kill", "pause", "503", "429"]],
  ["mid-answer", ["hold", "cut", "kill"]],
  ["after-answer", ["cut", "kill"]],
  ["judging", ["hold", "cut", "kill", "stale", "503"]],
];
const programActions: readonly ProgramAction[] = ["kill", "kill-half", "power-names", "power-contents", "power-mixed", "ENOSPC", "EROFS", "EIO"];

const crashes: readonly ProgramAction[] = ["power-names", "kill", "power-names", "power-contents"];
/** Before these numbers nothing has come that a failing store could be given; the journal that takes its place has some more operations. */
const firstAfterAnswer = 8;
const journalOperations = 8;

const storeFaults = (storage: Storage): readonly (HelperFault | KeyringFault)[] => (storage === "helper" ? helperFaults : storage === "keyring" ? keyringFaults : []);

/** Every point of every kind, once: what the gate always runs. */
export function systematicRounds(course: Course): readonly Round[] {
  const rounds: Round[] = [];
  const add = (storage: Storage, name: string, fault: Fault, grace = false) => {
    const id = `${storage}/${name}${grace ? "+grace" : ""}`;
    const salt = [...id].reduce((sum, letter) => mixed(sum, letter.charCodeAt(0)), 0);
    rounds.push({ id, storage, fault, grace, aged: salt % 3 === 0, salt });
  };
  for (const storage of storages) {
    if (course[storage].length === 0) continue;
    for (const [point, actions] of issuerFaults) {
      for (const action of actions) {
        add(storage, `${point}/${action}`, { where: "issuer", point, action, delayMs: 0 });
        if (point === "after-commit" || point === "mid-answer") add(storage, `${point}/${action}`, { where: "issuer", point, action, delayMs: 0 }, true);
      }
    }
    for (const action of storeFaults(storage)) add(storage, `store/${action}`, { where: "store", action });
    for (const [i, kind] of course[storage].entries()) {
      const at = i + 1;
      for (const action of actionsAt(storage, at, kind)) add(storage, `${action}@${at}`, { where: "program", action, at });
    }
  }
  for (let at = firstAfterAnswer; course.helper.length > 0 && at <= course.helper.length + journalOperations; at++) {
    const action = crashes[at % crashes.length] ?? "kill";
    add("helper", `refuse+${action}@${at}`, { where: "program", action, at, store: "refuse" });
  }
  return rounds;
}

/** What an operation of this kind can meet. On disk, where the files are the session, all of it; else fewer, turn by turn. `power-mixed` is for the seeds. */
function actionsAt(storage: Storage, at: number, kind: string): readonly ProgramAction[] {
  const [names, contents] = ["power-names", "power-contents"] as const;
  const half = ["write", "stdin"].includes(kind) ? (["kill-half"] as const) : [];
  const full = ["open", "write", "mkdir"].includes(kind) ? (["ENOSPC"] as const) : [];
  const broken = ["open", "write", "truncate", "fsync", "rename", "mkdir"].includes(kind) ? (["EROFS", "EIO"] as const) : [];
  if (storage === "disk") return ["kill", ...half, names, contents, ...full, ...broken];
  return ["kill", ...half, at % 2 === 0 ? names : contents, ...(at % 2 === 0 ? full : broken.slice((at >> 1) % 2).slice(0, 1))];
}

/** The `n`th round of a seed. */
export function seededRound(seed: number, n: number, storage: Storage, course: Course): Round {
  const salt = mixed(seed, n);
  const random = randomFrom(salt);
  return { id: `${storage}/${seed}:${n}`, storage, fault: randomFault(random, storage, course), grace: random() < 0.25, aged: random() < 0.4, salt };
}

function randomFault(random: () => number, storage: Storage, course: Course): Fault {
  const kind = random();
  if (kind < 0.45 || (storage === "disk" && kind < 0.6)) {
    return { where: "program", action: pick(random, programActions), at: 1 + Math.floor(random() * course[storage].length) };
  }
  if (kind < 0.5 && storage !== "disk") {
    const at = firstAfterAnswer + Math.floor(random() * (course[storage].length + journalOperations - firstAfterAnswer));
    return {
      where: "program",
      action: pick(random, programActions.slice(0, 5)),
      at,
      store: pick(random, storage === "helper" ? (["refuse", "lie"] as const) : (["lock", "crash"] as const)),
    };
  }
  const slow = random() < 0.15;
  if (kind < 0.6) {
    const quick = storeFaults(storage).filter((action) => slow || (action !== "hang" && action !== "freeze"));
    return { where: "store", action: pick(random, quick) };
  }
  const all = issuerFaults.flatMap(([point, actions]) => actions.map((action) => ({ where: "issuer", point, action, delayMs: Math.floor(random() * 31) }) as const));
  return pick(
    random,
    all.filter(({ action }) => slow || (action !== "hold" && action !== "pause")),
  );
}

/** Half of the rounds, always the same ones, are of sessions that are bound to a key. */
export const isBoundRound = ({ salt }: Round) => (salt & 1) === 1;

/** The row of the table. */
export function rowOf({ fault }: Round): string {
  switch (fault.where) {
    case "issuer":
      return `issuer ${fault.point}: ${fault.action}`;
    case "program":
      return fault.store === undefined ? `program, every operation: ${fault.action}` : `store fails, then the program: ${fault.action}`;
    case "store":
      return `store, mid-write: ${fault.action}`;
    default:
      return fault satisfies never;
  }
}

/** One round in a few words. */
export function describe({ id, fault, grace, aged }: Round): string {
  const where = fault.where === "issuer" ? `issuer, ${fault.point}` : fault.where === "store" ? "store, mid-write" : `program, operation ${fault.at}`;
  const first = fault.where === "program" && fault.store !== undefined ? `store, mid-write: ${fault.store}; ` : "";
  return `${id} (${first}${where}: ${fault.action}${grace ? "; issuer with grace" : ""}${aged ? "; cached token old" : ""})`;
}
