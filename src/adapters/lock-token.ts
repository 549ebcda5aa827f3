import type { LockOwner } from "./lock-owner.ts";

/**
 * How far the kernel lock that a holder has besides its lease excludes others: everybody at the same file server; everybody on
 * this boot who uses the same mounted file system (its device number); nobody, when there is none.
 */
export type KernelReach = "server" | `host-${number}` | "none";

/** The holder of a lease. Its nonce is never used again. */
export interface LeaseHolder {
  readonly nonce: string;
  readonly reach: KernelReach;
  readonly owner: LockOwner;
}

/** One file of a lease's folder. All it says is in its name, so that it is never half-written. */
export type LeaseToken =
  | { readonly kind: "free"; readonly name: string }
  | { readonly kind: "held"; readonly name: string; readonly holder: LeaseHolder }
  | { readonly kind: "unknown"; readonly name: string };

const freePattern = /^free\.[0-9a-f]{16}$/;
const heldPattern = /^held\.([0-9a-f]{16})\.\d{1,9}\.(server|none|host-\d{1,20})\.([0-9a-f]{32}|-)\.(\d{1,20}-\d{1,20}|-)\.([1-9]\d{0,9})\.(\d{1,20}|-)$/;

export const freeName = (nonce: string) => `free.${nonce}`;

/** `beat` counts the renewals. 143 characters are the most that an encrypted home takes (eCryptfs). */
export const heldName = ({ nonce, reach, owner }: LeaseHolder, beat: number) => `held.${nonce}.${beat}.${reach}.${owner.boot}.${owner.space}.${owner.pid}.${owner.start}`;

/** True for every name that this holder's token has had or will have. */
export const isOf = (holder: LeaseHolder, name: string) => name.startsWith(`held.${holder.nonce}.`);

export function parseToken(name: string): LeaseToken {
  if (freePattern.test(name)) return { kind: "free", name };
  const [, nonce = "", reach = "", boot = "", space = "", pid = "", start = ""] = heldPattern.exec(name) ?? [];
  if (nonce === "") return { kind: "unknown", name };
  return { kind: "held", name, holder: { nonce, reach: reach as KernelReach, owner: { boot, space, pid: Number(pid), start } } };
}
