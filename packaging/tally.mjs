/** Counts named checks in .ci/run's words: a line each, `skipped: …` for what was left out, and `N passed, N failed` last. */
export function newTally() {
  const count = { passed: 0, failed: 0 };
  return {
    /** A check passes when it returns; what it throws is shown. */
    async check(name, act) {
      const started = performance.now();
      try {
        await act();
        count.passed++;
        console.log(`ok      ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
        return true;
      } catch (error) {
        count.failed++;
        console.log(`FAILED  ${name}\n${error instanceof Error ? error.message : error}`);
        return false;
      }
    },
    skip: (name) => console.log(`skipped: ${name}`),
    /** Prints the count, and ends the process with it. */
    end() {
      console.log(`${count.passed} passed, ${count.failed} failed`);
      process.exitCode = count.failed === 0 ? 0 : 1;
    },
  };
}
