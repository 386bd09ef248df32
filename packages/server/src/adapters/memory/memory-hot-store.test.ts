import { hotStoreConformance } from '../../ports/hot-store.conformance.ts'
import { createMemoryHotStore } from './memory-hot-store.ts'

const NOW = Date.UTC(2026, 0, 15, 12, 30)

hotStoreConformance('the hot store in memory', async () => ({
  store: createMemoryHotStore({ now: () => NOW }, { partitions: 2 }),
  now: () => NOW,
  cleanUp: async () => {},
}))
