import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'react',
    include: ['src/**/*.test.{ts,tsx}', 'page/**/*.test.ts', 'test/**/*.test.{ts,tsx}'],
    setupFiles: ['test/node-websocket.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
