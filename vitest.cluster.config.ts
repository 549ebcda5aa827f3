import { defineConfig } from "vitest/config";

// `npm run test:cluster`: real API servers, issuers and callers. One file after the other: they are large programs.
export default defineConfig({
  test: {
    include: ["test/real/{cluster,issuers,callers}/**/*.test.ts"],
    globalSetup: ["test/real/find-parts.ts", "test/clean-environment.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
