import { afterAll } from 'vitest'
import { eventStoreConformance } from '../../ports/event-store.conformance.ts'
import { eventStoreFixture } from './event-store-fixture.ts'

const fixture = eventStoreFixture()

eventStoreConformance('clickhouse, embedded engine', {
  open: async () => fixture.open(await fixture.folder()),
  cleanUp: async () => {},
})
afterAll(() => fixture.cleanUp())
