import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'server',
    include: ['{src,test}/**/*.test.ts'],
    // What takes minutes, and what concerns only those who use Flink or Druid, has commands of its own.
    exclude: ['**/*.{long,flink,druid}.test.ts'],
    // Adapters' suites start Redis or an engine, on machines with few cores.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
