import { call, median } from "./timing.mjs";

/** A refresh, alone. False when it made more than its one request. */
export async function refresh({ env, session, issuer }) {
  const times = [];
  const before = issuer.requests.length;
  for (let i = 0; i < 21; i++) times.push(await call([process.execPath, ...session, "--force-refresh"], env));
  const paths = issuer.requests.slice(before).map(({ path }) => path);
  console.log(`refresh  ${median(times).toFixed(1)} ms; ${paths.length / times.length} request(s) each, to ${[...new Set(paths)].join(", ")}`);
  return paths.length === times.length;
}
