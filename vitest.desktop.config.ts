import { defineConfig } from "vitest/config";

// `npm run test:desktop`: a real Secret Service on a private bus, and a real Chromium. One file after the other: they
// start daemons, and a browser wants the machine for itself.
export default defineConfig({
  test: {
    include: ["test/desktop/**/*.test.ts"],
    globalSetup: ["test/clean-environment.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
