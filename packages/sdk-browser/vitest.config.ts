import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'sdk-browser',
    include: ['{src,test}/**/*.test.ts'],
    globalSetup: 'test/build-dist.ts',
    // Each file has a browser of its own.
    fileParallelism: false,
    // Generous: a machine that does much else at the same time is slow, not wrong.
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
})
