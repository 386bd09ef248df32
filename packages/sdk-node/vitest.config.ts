import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { name: 'sdk-node', include: ['{src,test}/**/*.test.ts'] } })
