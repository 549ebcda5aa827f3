/** The part of fs-native-extensions that we use: locks of the kernel on an open file (flock-like, owned by the descriptor). */
declare module "fs-native-extensions" {
  /** False when another open descriptor holds it. Needs a descriptor that is open for writing. */
  export function tryLock(fd: number): boolean;
  export function unlock(fd: number): void;
}
