import type { Waited } from "../core/handout.ts";
import { cachedToken, type HotCall, lookUp } from "./cached-token.ts";
import { awaitRenewal } from "./renewal.ts";
import { writeOut } from "./write-out.ts";

/** Prints the remembered answer and ends, by `end`; without one, runs the whole program, which is told of a wait for another call. */
export function answerOr(call: HotCall, wholeProgram: (waited?: Waited) => unknown, end: () => void): void {
  const { text, renewal } = lookUp(call);
  const print = (answer: string) => writeOut(answer, end);
  if (text !== undefined) print(text);
  else if (renewal === undefined) wholeProgram();
  else
    void awaitRenewal(renewal, () => cachedToken({ ...call, now: Date.now() }), call.ppid).then((renewed) => {
      if (renewed.kind === "hit") print(renewed.text);
      else wholeProgram(renewed.waited);
    });
}
