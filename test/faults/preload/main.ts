/**
 * Loaded before the program (`node --require`): numbers what the program does to its store, to its children and to the issuer, and at
 * one of these operations does what the plan says. The program has no hook for it; it sees a machine that fails.
 */
import { brokenDisk } from "./broken-disk.ts";
import { durability } from "./durability.ts";
import { patchChildren } from "./patch-children.ts";
import { patchFiles } from "./patch-files.ts";
import { patchRequests } from "./patch-requests.ts";
import type { ProgramPlan } from "./program-plan.ts";
import { recorder as recorderOf } from "./recorder.ts";

const plan = JSON.parse(process.env["FAULTS_PLAN"] ?? "") as ProgramPlan;
delete process.env["FAULTS_PLAN"];
const disk = brokenDisk(plan.salt % 2 === 1);
const durable = durability(plan.salt);
const recorder = recorderOf(plan, durable.powerCut, disk.become);

/** Milliseconds. The keychain's deadlines are shorter than this and stay as they are. */
const longWait = 6_000;
if (plan.haste > 1) {
  const setTimer = globalThis.setTimeout;
  Object.assign(globalThis, { setTimeout: (run: () => void, ms = 0, ...args: readonly []) => setTimer(run, ms >= longWait ? ms / plan.haste : ms, ...args) });
}

patchFiles({ data: plan.data, recorder, durability: durable, disk });
patchChildren(recorder);
patchRequests(recorder);
process.once("exit", () => recorder.passed({ kind: "exit", about: "" }));
