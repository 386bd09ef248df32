import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BreakdownAnswer, SeriesAnswer, TotalAnswer } from '@nowcast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { endProcess, spawnNowcast } from './servers/nowcast-cli.ts'
import { ask } from './servers/requests.ts'
import { linkInto, sharedData } from './servers/shared-data.ts'
import { startServer, type TestServer } from './servers/start-server.ts'
import { until } from './servers/until.ts'

const RETAIL = sharedData('ecommerce/online_retail_2010-12_2011-08.csv.gz')
const LINES = 320_705
const REVENUE = '5761931.3820'
const BY_COUNTRY = { GB: '4776808.8120', NL: '179431.6000', IE: '159594.0600', DE: '139514.5800' }
const SHOP = knownProject('shop', { currency: 'GBP', timezone: 'Europe/London' })
const MAP = {
  name: { value: 'purchase' },
  timestamp: { column: 'InvoiceDate', zone: 'Europe/London' },
  userId: { column: 'CustomerID', default: 'guest' },
  revenue: { multiply: ['Quantity', 'UnitPrice'] },
  country: { column: 'Country' },
  category: { column: 'StockCode' },
  properties: ['InvoiceNo'],
}
const RANGE = { from: Date.UTC(2010, 11, 1), to: Date.UTC(2011, 8, 1) }
const IMPORT_MS = 120_000

let server: TestServer
let importArgs: string[]
const token = readTokenOf(SHOP)

const total = (query: object = {}) => ask<TotalAnswer>(server.url, token, { kind: 'total', range: RANGE, ...query })
const purchases = async () => (await total({ metric: 'purchases' })).v

/** Ten-thousandths of a decimal with four places. */
const units = (exact: string | undefined): bigint => BigInt((exact as string).replace('.', ''))

async function expectExact(): Promise<void> {
  await until(LINES, purchases, 60_000)
  const revenue = await total({ metric: 'revenue' })
  expect(revenue).toMatchObject({ exact: REVENUE, v: 5761931.382, currency: 'GBP' })
  expect(revenue.excluded).toBeUndefined()
  const countries = { kind: 'breakdown', metric: 'revenue', breakdown: 'country', range: RANGE, limit: 1000 }
  const { rows } = await ask<BreakdownAnswer>(server.url, token, countries)
  const byCountry = new Map(rows.map(({ key, exact }) => [key, exact]))
  for (const [country, exact] of Object.entries(BY_COUNTRY)) {
    expect(byCountry.get(country), country).toBe(exact)
    expect((await total({ metric: 'revenue', filters: { country: [country] } })).exact, country).toBe(exact)
  }
  expect(rows.reduce((sum, { exact }) => sum + units(exact), 0n)).toBe(units(REVENUE))
}

describe.skipIf(!RETAIL)('nine months of a real shop', () => {
  beforeAll(async () => {
    server = await startServer({ config: { projects: [SHOP] } })
    const map = join(server.folder, 'map.json')
    await writeFile(map, JSON.stringify(MAP))
    const file = await linkInto(server.folder, RETAIL as string)
    importArgs = ['import', file, '--map', map, '--data-dir', server.dataDir]
  })
  afterAll(() => server?.remove())

  /** An import that runs until so many events are counted. */
  async function importUntil(events: number) {
    const child = spawnNowcast(importArgs, server.folder)
    while ((await purchases()) < events) {
      if (child.exitCode !== null) throw new Error(`the import ended too early: ${child.output().stderr}`)
      await sleep(20)
    }
    return child
  }

  it(
    'are exact although importer and server are killed on the way',
    async () => {
      const killed = await importUntil(40_000)
      await endProcess(killed, 'SIGKILL')

      const child = await importUntil(120_000)
      await server.kill()
      expect(child.exitCode).toBeNull()
      await server.start()
      await new Promise((resolve) => (child.exitCode === null ? child.once('close', resolve) : resolve(undefined)))
      const { code, stdout } = child.output()
      expect(stdout).toMatch(/320,705 lines read, 320,705 accepted, 0 rejected/)
      expect(code).toBe(0)
      await expectExact()
    },
    IMPORT_MS,
  )

  it('have the same sums by month and by day', async () => {
    for (const timezone of ['Europe/London', 'Asia/Kolkata']) {
      const days = { kind: 'series', metric: 'revenue', granularity: 'day', timezone, range: RANGE }
      const { series } = await ask<SeriesAnswer>(server.url, token, days)
      expect((series[0]?.points ?? []).reduce((sum, { exact }) => sum + units(exact), 0n)).toBe(units(REVENUE))
    }
    let sum = 0n
    let orders = 0
    for (let month = 0; month < 9; month++) {
      const range = { from: Date.UTC(2010, 11 + month), to: Date.UTC(2010, 12 + month) }
      sum += units((await total({ metric: 'revenue', range })).exact)
      orders += (await total({ metric: 'purchases', range })).v
    }
    expect({ sum, orders }).toEqual({ sum: units(REVENUE), orders: LINES })
  })

  it('show the order of 77,183.60 at 10:01 and its cancellation at 10:17', async () => {
    const day = Date.UTC(2011, 0, 18)
    const range = { from: day + 10 * 3_600_000, to: day + 10 * 3_600_000 + 20 * 60_000 }
    const query = { kind: 'series', metric: 'revenue', granularity: 'minute', range, filters: { category: ['23166'] } }
    const { series } = await ask<SeriesAnswer>(server.url, token, query)
    const points = (series[0]?.points ?? [])
      .filter(({ v }) => v !== 0)
      .map(({ t, exact }) => [(t - day) / 60_000, exact])
    expect(points).toEqual([
      [601, '77183.6000'],
      [617, '-77183.6000'],
    ])
  })

  it('are the same after a kill at the end', async () => {
    await server.kill()
    await server.start()
    await expectExact()
  })

  it(
    'are not imported a second time, and with --force nothing is counted twice',
    async () => {
      const [, ...flags] = importArgs
      const again = await server.run('import', ...flags)
      expect(again.code).toBe(1)
      expect(again.stderr).toMatch(/imported into shop already.*--force/)
      const forced = spawnNowcast([...importArgs, '--force'], server.folder)
      await new Promise((resolve) => forced.once('close', resolve))
      expect(forced.output().stdout).toMatch(/320,705 accepted, 0 rejected/)
      // What was sent last is counted when the audit is done; the other figures tell the rest.
      await sleep(1000)
      await expectExact()
    },
    IMPORT_MS,
  )

  it('leave nothing for the audit to find', async () => {
    const { code, stdout, stderr } = await server.run('audit')
    expect(`${stdout}${stderr}`).toContain('clean')
    expect(code).toBe(0)
  })
})
