/**
 * The parts of vitest's JSON report that are read here and in test/real/record.ts.
 * @typedef {{ readonly ancestorTitles: readonly string[], readonly title: string, readonly fullName?: string, readonly status: string, readonly failureMessages?: readonly string[] }} ReportedTest
 * @typedef {{ readonly name: string, readonly status: string, readonly message?: string, readonly assertionResults: readonly ReportedTest[] }} ReportedFile
 * @typedef {{ readonly startTime?: number, readonly testResults: readonly ReportedFile[] }} Report
 */

/**
 * A report, counted. `failures` has each failed test; each file that failed without one: it could not be loaded, or a hook threw, and vitest calls
 * the tests that it was for skipped; and the run, when it ended with a status other than 0 without either: an error that no test caught.
 * @param {Report} report
 * @param {number} status how vitest ended
 */
export function countReport({ testResults }, status) {
  const failures = testResults.flatMap(failuresOf);
  if (status !== 0 && failures.length === 0) failures.push({ name: "the run", text: `vitest ended with ${status}, and no test and no file of its report failed` });
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  return {
    passed: tests.filter((test) => test.status === "passed").length,
    failures,
    skipped: tests.filter((test) => test.status !== "passed" && test.status !== "failed"),
  };
}

/** @param {ReportedFile} file */
function failuresOf({ name, status, message = "", assertionResults }) {
  const failed = assertionResults.filter((test) => test.status === "failed");
  if (failed.length === 0 && status === "failed") return [{ name, text: message === "" ? "a hook of it failed" : message }];
  return failed.map((test) => ({ name: test.fullName ?? test.title, text: (test.failureMessages?.[0] ?? "").slice(0, 1500) }));
}
