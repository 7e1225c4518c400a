// How vitest runs: all tests of test/, two at once, with room for a synthesis of a whole app in each.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000, maxWorkers: 2 },
});
