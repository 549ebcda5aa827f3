import { defineConfig } from "vitest/config";

// `npm test`: unit, contract, golden, architecture and e2e of the built program. The desktop ring and that of real servers have their own configurations.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/desktop/**", "test/real/{cluster,issuers,callers}/**", "node_modules/**"],
    globalSetup: ["test/clean-environment.ts"],
    // On two cores vitest takes one worker by default; most tests wait for processes of ours.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    restoreMocks: true,
    coverage: { provider: "v8", include: ["src/**"], reporter: ["text", "html"] },
  },
});
