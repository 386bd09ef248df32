import { afterAll } from 'vitest'
import { eventStoreConformance } from '../../ports/event-store.conformance.ts'
import { clickHouseFixture } from './clickhouse.conformance.ts'

const fixture = clickHouseFixture()

eventStoreConformance('clickhouse, embedded engine', {
  open: async () => fixture.store(await fixture.folder()),
  cleanUp: async () => {},
})
afterAll(() => fixture.cleanUp())
