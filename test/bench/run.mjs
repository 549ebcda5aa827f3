// `npm run bench [-- hot|version|refresh|storm]`: whole processes, paired and interleaved in one run, because timings on shared machines
// drift. Fails when the hot path takes more than 1.15 x an empty CommonJS script (the aim is 1.08), when a refresh makes more than one
// request, and when a storm does. Without a name: all but the storm, which fills the machine for minutes.
import { cpus } from "node:os";
import { hot } from "./hot.mjs";
import { startIssuer } from "./issuer.mjs";
import { refresh } from "./refresh.mjs";
import { getToken, openStage, program } from "./stage.mjs";
import { storm } from "./storm.mjs";
import { call, rounds } from "./timing.mjs";
import { version } from "./version.mjs";

const single = { hot, version, refresh };

/** With one session whose token is cached, and the call that was made twice, so that it is a hit. */
async function runSingle(benches, stage) {
  console.log(`Node ${process.versions.node}, ${cpus().length} cores, ${rounds} paired rounds`);
  const issuer = await startIssuer();
  try {
    const env = stage.home("home");
    const session = [program, ...getToken(issuer)];
    await call([process.execPath, ...session], env);
    await call([process.execPath, ...session], env);
    let passed = true;
    for (const bench of benches) passed = (await bench({ env, empty: stage.empty, session, issuer })) && passed;
    return passed;
  } finally {
    issuer.stop();
  }
}

const what = process.argv[2] ?? "all";
const benches = what === "all" ? Object.values(single) : single[what] && [single[what]];
const stage = openStage();
try {
  if (what === "storm") process.exitCode = (await storm(stage)) ? 0 : 1;
  else if (benches !== undefined) process.exitCode = (await runSingle(benches, stage)) ? 0 : 1;
  else {
    console.error(`no such bench: ${what}; there are ${[...Object.keys(single), "storm"].join(", ")}`);
    process.exitCode = 2;
  }
} finally {
  stage.close();
}
