import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Issuer } from "../parts/issuer.ts";
import type { Kubelogin } from "../parts/kubelogin.ts";
import { type Environment, getToken, mustRun, type Stage } from "../parts/stage.ts";

/** Has a home, a call that is made many times, one that logs in, and one that refreshes. */
export interface StormCandidate {
  readonly id: string;
  readonly name: string;
  readonly env: Environment;
  readonly issuer: Issuer | undefined;
  readonly login: readonly string[];
  readonly command: readonly string[];
  readonly renew: readonly string[];
}

/** Seconds that a token lives that is to expire: long enough for the call that fetches it. */
const shortLife = 3;

export function ours(id: string, name: string, program: readonly string[], issuer: Issuer, env: Environment): StormCandidate {
  const login = [...program, ...getToken(issuer)];
  // A session that is lost must fail the call: the issuer's device login would succeed at once and hide it.
  const command = [...login, "--non-interactive"];
  return { id, name, env, issuer, login, command, renew: [...command, "--force-refresh"] };
}

export function theirs({ name, file }: Kubelogin, issuer: Issuer, env: Environment & { readonly HOME: string }): StormCandidate {
  const command = [file, ...getToken(issuer), `--token-cache-dir=${join(env.HOME, "cache")}`];
  return { id: "kubelogin", name, env, issuer, login: command, command, renew: [...command, "--force-refresh"] };
}

/** Makes the next call of each a hit. */
export async function warm(stage: Stage, candidates: readonly StormCandidate[]): Promise<void> {
  for (const { command, env } of candidates) for (let i = 0; i < 2; i++) await mustRun(stage, command, env);
}

/** Gives each a token that is past its time, and a session that is not. */
export async function expire(stage: Stage, candidates: readonly StormCandidate[]): Promise<void> {
  const issuers = new Set(candidates.flatMap(({ issuer }) => issuer ?? []));
  for (const issuer of issuers) issuer.lifetime = shortLife;
  for (const { renew, env } of candidates) await mustRun(stage, renew, env);
  for (const issuer of issuers) issuer.lifetime = 3600;
  await sleep((shortLife + 1) * 1000);
}
