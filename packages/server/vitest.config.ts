import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'server',
    include: ['{src,test}/**/*.test.ts'],
    // Adapters' suites start Redis or an engine, on machines with few cores.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
