import { isLoopbackHost } from "./untrusted-text.ts";

/** Where npm's packages come from when nothing else is said. */
export const usualRegistry = "https://registry.npmjs.org";

/**
 * The address that tells the newest release: `registry` as npm reads it (npm_config_registry: a company's mirror). Undefined for one that
 * is not https (or on this computer), or that holds a user name.
 */
export function newestReleaseUrl(registry: string | undefined): URL | undefined {
  const base = registry || usualRegistry;
  if (!URL.canParse(base)) return undefined;
  const url = new URL(`${base.replace(/[?#].*$/s, "").replace(/\/+$/, "")}/kubectl-oidc/latest`);
  const isPrivate = url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname));
  return isPrivate && url.username === "" && url.password === "" ? url : undefined;
}

/** `1.2.3` or `1.2.3-rc.1`, by semver's rules; longer ones are not ours. */
const semver = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]{1,40}))?$/;

export const isVersion = (text: unknown): text is string => typeof text === "string" && semver.test(text);

/** True when `other` comes after `own` (semver 2.0.0, section 11). */
export function isNewer(other: string, own: string): boolean {
  const [theirs, ours] = [semver.exec(other), semver.exec(own)];
  if (theirs === null || ours === null) return false;
  for (const part of [1, 2, 3]) if (theirs[part] !== ours[part]) return Number(theirs[part]) > Number(ours[part]);
  const [pre, ownPre] = [theirs[4], ours[4]];
  if (pre === undefined || ownPre === undefined) return pre === undefined && ownPre !== undefined;
  return comesAfter(pre.split("."), ownPre.split("."));
}

/** Numbers before words, and by their value; fewer parts before more. */
function comesAfter(parts: readonly string[], own: readonly string[]): boolean {
  for (const [i, part] of parts.entries()) {
    const mine = own[i];
    if (mine === undefined) return true;
    if (part === mine) continue;
    const [isNumber, mineIsNumber] = [/^\d+$/.test(part), /^\d+$/.test(mine)];
    if (isNumber && mineIsNumber) return Number(part) > Number(mine);
    return isNumber === mineIsNumber ? part > mine : mineIsNumber;
  }
  return false;
}
