import type { HotFindings } from "../core/handout.ts";
import { cachedToken, type HotCall, lookUp } from "./cached-token.ts";
import { awaitRenewal } from "./renewal.ts";
import { writeOut } from "./write-out.ts";

/** Prints the remembered answer and ends, by `end`; without one, runs the whole program, which is told what was found out. */
export function answerOr(call: HotCall, wholeProgram: (found: HotFindings) => unknown, end: () => void): void {
  const { text, renewal, needsKeychain = false } = lookUp(call);
  const print = (answer: string) => writeOut(answer, end);
  if (text !== undefined) print(text);
  else if (renewal === undefined) wholeProgram({});
  else
    void awaitRenewal(renewal, () => cachedToken({ ...call, now: Date.now() }), call.ppid).then((renewed) => {
      if (renewed.kind === "hit") print(renewed.text);
      else wholeProgram(renewed.isOurs === true ? { needsKeychain } : { waited: renewed.waited });
    });
}
