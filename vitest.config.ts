import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["./test/support/postgres-global.ts"],
    reporters: ["./scripts/closing-reporter.ts"],
    pool: "forks",
    maxWorkers: 2,
    // Machines of CI stand still now and then; the reporter says who needed it, and where that is a failure.
    retry: process.env["CI"] === "true" ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A test that leaves something open is a defect: it is named instead of waited for.
    teardownTimeout: 10_000,
  },
});
