import { defineConfig } from 'vitest/config'

const LONG = ['{test,packages/*/src,packages/*/test}/**/*.long.test.ts']
/** Servers that are killed, starved, cut off and sent rubbish: they mostly wait. */
const FAULTS = ['test/{cluster,faults,fuzz}/**/*.test.ts']
/** Needs Flink, which is large: `npm run test:flink` fetches it. */
const FLINK = ['test/flink/*.test.ts', 'packages/server/src/**/*.flink.test.ts']
/** Needs Druid, which is large too: `npm run test:druid` fetches it. */
const DRUID = ['test/druid/*.test.ts', 'packages/server/src/**/*.druid.test.ts']

export default defineConfig({
  test: {
    projects: [
      'packages/*',
      { test: { name: 'scripts', include: ['scripts/**/*.test.mjs'] } },
      {
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: [...LONG, ...FLINK, ...DRUID, ...FAULTS],
          // Each starts servers of its own: one at a time, after all unit tests.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'faults',
          include: FAULTS,
          exclude: LONG,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      // What takes minutes: `npm run test:faults` runs it, beside the long forms of the others; `npm run test:matrix`
      // the versions of React, Node.js and others, `npm run test:guides` the guides.
      {
        test: {
          name: 'long',
          include: LONG,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: 'flink',
          include: FLINK,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
          testTimeout: 600_000,
          hookTimeout: 400_000,
        },
      },
      {
        test: {
          name: 'druid',
          include: DRUID,
          fileParallelism: false,
          sequence: { groupOrder: 5 },
          testTimeout: 600_000,
          hookTimeout: 400_000,
        },
      },
    ],
  },
})
