import { program } from "./stage.mjs";
import { paired } from "./timing.mjs";

/** The smallest command of the whole program, against an empty script. */
export async function version({ env, empty }) {
  const [base, whole] = paired([{ args: [empty] }, { args: [program, "version"] }], env);
  console.log(`version  ${whole.ratio.toFixed(3)} x an empty script (${whole.median.toFixed(1)} ms and ${base.median.toFixed(1)} ms)`);
  return true;
}
