/**
 * The three functions of the metadata proposal that tsyringe (inside @peculiar/x509) asks of `Reflect` when it is loaded.
 * The polyfill package is not a dependency of ours for twenty lines; nothing in the program itself sees this.
 */
type Key = string | symbol;

interface MetadataFunctions {
  getMetadata?: (key: Key, target: object) => unknown;
  getOwnMetadata?: (key: Key, target: object) => unknown;
  defineMetadata?: (key: Key, value: unknown, target: object) => void;
}

/** Adds what is missing, once for the process; a polyfill that is there already stays. Call it before importing @peculiar/x509. */
export function provideReflectMetadata(): void {
  const reflect = Reflect as MetadataFunctions;
  if (reflect.getMetadata !== undefined) return;
  const stored = new WeakMap<object, Map<Key, unknown>>();
  const own = (key: Key, target: object): unknown => stored.get(target)?.get(key);
  reflect.getOwnMetadata = own;
  reflect.getMetadata = (key, target) => {
    for (let holder: object | null = target; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
      if (stored.get(holder)?.has(key)) return own(key, holder);
    }
    return undefined;
  };
  reflect.defineMetadata = (key, value, target) => {
    const entries = stored.get(target) ?? new Map<Key, unknown>();
    stored.set(target, entries.set(key, value));
  };
}
