/** Milliseconds on a clock that nobody sets. Node's `performance` says the same, and loading it takes a millisecond. */
export const steadyNow = (): number => Number(process.hrtime.bigint()) / 1e6;
