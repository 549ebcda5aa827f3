/** For a `go` that takes modules without asking the checksum database: where that cannot be reached, and nowhere else. */
export const withoutChecksums: Readonly<Record<string, string>> = { GONOSUMDB: "*", GONOSUMCHECK: "1" };

/** Whether it is that database which a `go` could not reach, by its stderr; a sum that differs is another matter. */
export const lacksChecksums = (stderr: string) =>
  /sum\.golang\.org|checksum database|verifying .*: (Get|dial|read)/i.test(stderr) && !/checksum mismatch|SECURITY ERROR/i.test(stderr);
