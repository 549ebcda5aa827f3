// `npm run bench [-- hot|version|refresh]`: whole processes, paired and interleaved in one run, because timings on shared
// machines drift. Fails when the hot path takes more than 1.15 x an empty CommonJS script (the aim is 1.08).
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

const program = resolve(import.meta.dirname, "../../dist/kubectl-oidc.cjs");
const limits = { aim: 1.08, fail: 1.15 };
const rounds = Number(process.env.BENCH_ROUNDS ?? 201);
const folder = mkdtempSync(join(tmpdir(), "kubectl-oidc-bench-"));
const home = join(folder, "home");
mkdirSync(home, { mode: 0o700 });
// NODE_EXTRA_CA_CERTS costs Node 20 some 40 ms at its start: the environment is our own.
const env = { PATH: process.env.PATH, HOME: home };
const empty = join(folder, "empty.cjs");
writeFileSync(empty, "");

/** A small issuer with a device grant that is confirmed at once; counts its requests. */
async function startIssuer() {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const keys = [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256", use: "sig" }];
  const requests = [];
  const server = createServer(async (request, response) => {
    for await (const _ of request);
    const url = `http://127.0.0.1:${server.address().port}`;
    requests.push(request.url);
    const now = Math.floor(Date.now() / 1000);
    const idToken = () => new SignJWT({ iss: url, aud: "bench", sub: "bench", iat: now, exp: now + 3600 }).setProtectedHeader({ alg: "ES256", kid: "k" }).sign(privateKey);
    const answers = {
      "/.well-known/openid-configuration": async () => ({
        issuer: url,
        authorization_endpoint: `${url}/a`,
        token_endpoint: `${url}/token`,
        jwks_uri: `${url}/jwks`,
        device_authorization_endpoint: `${url}/device`,
        scopes_supported: ["openid", "offline_access"],
        id_token_signing_alg_values_supported: ["ES256"],
      }),
      "/jwks": async () => ({ keys }),
      "/device": async () => ({ device_code: "d", user_code: "BENCH", verification_uri: `${url}/v`, expires_in: 60, interval: 1 }),
      "/token": async () => ({ access_token: "a", token_type: "Bearer", expires_in: 3600, id_token: await idToken(), refresh_token: `r${requests.length}` }),
    };
    const body = await answers[request.url]?.();
    response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(body ?? {}));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${server.address().port}`, requests, stop: () => server.close() };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function timed(args, options = {}) {
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"], ...options });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`);
  return Number(process.hrtime.bigint() - started) / 1e6;
}

/** Each round runs every candidate once, in turned order; the ratio is the median of the rounds' ratios. */
function paired(candidates) {
  const times = candidates.map(() => []);
  for (const [i] of candidates.entries()) timed(candidates[i].args);
  for (let round = 0; round < rounds; round++) {
    const order = candidates.map((_, i) => (i + round) % candidates.length);
    for (const i of order) times[i].push(timed(candidates[i].args));
  }
  return candidates.map(({ name }, i) => ({ name, median: median(times[i]), ratio: median(times[i].map((ms, round) => ms / times[0][round])) }));
}

/** Runs the program while the issuer of this very process answers. */
function run(args) {
  return new Promise((done, reject) => {
    const started = process.hrtime.bigint();
    const child = spawn(process.execPath, [program, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stdout.resume();
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("close", (status) => (status === 0 ? done(Number(process.hrtime.bigint() - started) / 1e6) : reject(new Error(stderr))));
  });
}

const what = process.argv[2] ?? "all";
const issuer = await startIssuer();
const session = ["get-token", `--oidc-issuer-url=${issuer.url}`, "--oidc-client-id=bench", "--grant-type=device-code", "--skip-open-browser", "--token-cache-storage=disk"];
let failed = false;
try {
  console.log(`Node ${process.versions.node}, ${cpus().length} cores, ${rounds} paired rounds`);
  await run(session);
  await run(session);
  if (what === "all" || what === "hot") {
    const [base, hot] = paired([
      { name: "an empty script", args: [empty] },
      { name: "get-token, cached", args: [program, ...session] },
    ]);
    failed = hot.ratio > limits.fail;
    console.log(
      `hot      ${hot.ratio.toFixed(3)} x an empty script (${hot.median.toFixed(1)} ms and ${base.median.toFixed(1)} ms); aim ${limits.aim}, fails above ${limits.fail}${hot.ratio > limits.aim ? "; over the aim" : ""}`,
    );
  }
  if (what === "all" || what === "version") {
    const [base, version] = paired([
      { name: "an empty script", args: [empty] },
      { name: "version", args: [program, "version"] },
    ]);
    console.log(`version  ${version.ratio.toFixed(3)} x an empty script (${version.median.toFixed(1)} ms and ${base.median.toFixed(1)} ms)`);
  }
  if (what === "all" || what === "refresh") {
    const times = [];
    const before = issuer.requests.length;
    for (let i = 0; i < 21; i++) times.push(await run([...session, "--force-refresh"]));
    const requests = issuer.requests.slice(before);
    console.log(`refresh  ${median(times).toFixed(1)} ms; ${requests.length / times.length} request(s) each, to ${[...new Set(requests)].join(", ")}`);
    failed ||= requests.length !== times.length;
  }
} finally {
  issuer.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
