import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getToken } from "../stage.mjs";
import { call } from "../timing.mjs";

/** Seconds that a token lives that is to expire: long enough for the call that fetches it. */
const shortLife = 3;

/** A candidate has a home, a call that is made many times, one that logs in, and one that refreshes. */
export function ours(name, program, issuer, env) {
  const login = [process.execPath, program, ...getToken(issuer)];
  // A session that is lost must fail the call: the issuer's device login would succeed at once and hide it.
  const command = [...login, "--non-interactive"];
  return { name, env, issuer, login, command, renew: [...command, "--force-refresh"] };
}

/** The kubelogin on the PATH, or the one that KUBELOGIN names; a sentence when there is none that can take part. */
export async function kubelogin(issuer, env) {
  const file = process.env.KUBELOGIN ?? "kubelogin";
  const help = spawnSync(file, ["get-token", "--help"], { encoding: "utf8" });
  if (help.error !== undefined) return "there is none on the PATH (KUBELOGIN may name one)";
  // Azure has another program of this name.
  if (!`${help.stdout}${help.stderr}`.includes("--oidc-issuer-url")) return `${file} is another program: its get-token has no --oidc-issuer-url`;
  const version = /\d+(\.\d+)+\S*/.exec(spawnSync(file, ["--version"], { encoding: "utf8" }).stdout)?.[0] ?? "";
  const command = [file, ...getToken(issuer), `--token-cache-dir=${join(env.HOME, "cache")}`];
  const candidate = { name: `kubelogin ${version}`.trim(), env, issuer, login: command, command, renew: [...command, "--force-refresh"] };
  try {
    // Logs in, since nothing is cached yet; an old version that lacks the option is noticed here.
    await call(candidate.renew, env);
    return candidate;
  } catch (error) {
    return `${candidate.name} cannot log in: ${error.message.trim().split("\n").at(-1)}`;
  }
}

/** Makes the next call of each a hit. */
export async function warm(candidates) {
  for (const { command, env } of candidates) {
    await call(command, env);
    await call(command, env);
  }
}

/** Gives each a token that is past its time, and a session that is not. */
export async function expire(candidates) {
  const issuers = new Set(candidates.map(({ issuer }) => issuer));
  for (const issuer of issuers) issuer.lifetime = shortLife;
  for (const { renew, env } of candidates) await call(renew, env);
  for (const issuer of issuers) issuer.lifetime = 3600;
  await sleep((shortLife + 1) * 1000);
}
