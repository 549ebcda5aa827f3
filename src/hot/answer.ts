import { cachedToken, type HotCall, lookUp } from "./cached-token.ts";
import { awaitRenewal } from "./renewal.ts";
import { writeOut } from "./write-out.ts";

/** Prints the remembered answer and ends; without one, runs the whole program, which gets the signal that a wait for another call was ended by. */
export function answerOr(call: HotCall, wholeProgram: () => Promise<void>): void {
  const { text, renewal } = lookUp(call);
  if (text !== undefined) print(text);
  else if (renewal === undefined) void wholeProgram();
  else void afterRenewal(renewal, call, wholeProgram);
}

async function afterRenewal(note: string, call: HotCall, wholeProgram: () => Promise<void>): Promise<void> {
  const renewed = await awaitRenewal(note, () => cachedToken({ ...call, now: Date.now() }), call.ppid);
  if (renewed.kind === "hit") return print(renewed.text);
  // It listens before it waits for anything.
  const running = wholeProgram();
  if (renewed.kind === "signal") process.kill(process.pid, renewed.name);
  return running;
}

const print = (text: string) => writeOut(text, () => process.exit(0));
