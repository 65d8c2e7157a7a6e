import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["./test/build-once.ts"],
    // Tests of the sandbox start threads of their own and measure memory: a process per file.
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
