import { paired } from "./timing.mjs";

const limits = { aim: 1.08, fail: 1.15 };

/** A cached token, against an empty script. False when it takes too long. */
export async function hot({ env, empty, session }) {
  const [base, cached] = paired([{ args: [empty] }, { args: session }], env);
  const overAim = cached.ratio > limits.aim ? "; over the aim" : "";
  console.log(
    `hot      ${cached.ratio.toFixed(3)} x an empty script (${cached.median.toFixed(1)} ms and ${base.median.toFixed(1)} ms); aim ${limits.aim}, fails above ${limits.fail}${overAim}`,
  );
  return cached.ratio <= limits.fail;
}
