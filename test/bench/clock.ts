/** The clock by which everything here is timed, the same in every process of a machine. Milliseconds. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;
