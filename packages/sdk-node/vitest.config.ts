import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'sdk-node',
    include: ['{src,test}/**/*.test.ts'],
    // What takes minutes has commands of its own.
    exclude: ['**/*.long.test.ts'],
    // Generous: a machine that does much else at the same time is slow, not wrong.
    testTimeout: 90_000,
  },
})
