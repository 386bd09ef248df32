import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'sdk-browser',
    include: ['{src,test}/**/*.test.ts'],
    globalSetup: 'test/build-dist.ts',
    // Each file has a browser of its own.
    fileParallelism: false,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
