/** Modules that packaging/bun-build.mjs resolves to the addons of its target, and the part of Bun's own that we use. */
declare module "kubectl-oidc:keyring-file" {
  /** The path inside the executable. */
  const path: string;
  export default path;
}
declare module "kubectl-oidc:keyring-addon" {
  const addon: typeof import("@napi-rs/keyring");
  export default addon;
}
declare module "kubectl-oidc:lock-addon" {
  /** fs-native-extensions' binding: offset and length 0 mean the whole file. */
  interface Addon {
    tryLock(fd: number, offset: number, length: number, exclusive: boolean): void;
    unlock(fd: number, offset: number, length: number): void;
  }
  /** Throws when the system does not load it. */
  const load: () => Addon;
  export default load;
}
declare module "bun:ffi" {
  type Native = "i32" | "u32" | "ptr";
  type Given<T> = T extends "ptr" ? Uint8Array : number;
  interface Signature {
    readonly args: readonly Native[];
    readonly returns: Native;
  }
  type Arguments<A extends readonly Native[]> = { -readonly [K in keyof A]: Given<A[K]> };
  type Called<S extends Signature> = (...args: Arguments<S["args"]>) => number;
  export function dlopen<const S extends Readonly<Record<string, Signature>>>(path: string, signatures: S): { readonly symbols: { readonly [N in keyof S]: Called<S[N]> } };
  /** `pointer` is a number. */
  export const read: { i32(pointer: number, offset: number): number; ptr(pointer: number, offset: number): number };
  export class CString extends String {
    constructor(pointer: number);
  }
}
