import { afterAll } from 'vitest'
import { oldMonthsConformance } from '../../ports/old-months.conformance.ts'
import { clickHouseFixture } from './clickhouse.conformance.ts'

const fixture = clickHouseFixture()
afterAll(() => fixture.cleanUp())

oldMonthsConformance(async () => fixture.store(await fixture.folder(), { settleMs: 0 }))
