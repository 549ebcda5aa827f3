/** The first call's result for every call. */
export function once<T, A extends readonly unknown[]>(make: (...args: A) => T): (...args: A) => T {
  const made: { value?: { readonly of: T } } = {};
  return (...args) => {
    made.value ??= { of: make(...args) };
    return made.value.of;
  };
}
