// How vitest runs: all tests of test/ in one process, which loads the CDK once and keeps templates for every file.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 120_000, isolate: false, fileParallelism: false },
});
