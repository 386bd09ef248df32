import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundleImport, kill } from '../../../test/import/killable-import.ts'
import { type RecordingServer, SECRET_KEY, startRecordingServer } from '../../../test/import/recording-server.ts'
import { ONLINE_RETAIL_MAP, sharedData } from '../../../test/import/shared-data.ts'
import { importFiles } from './import-files.ts'
import type { ImportOptions } from './import-options.ts'

const RETAIL = sharedData('ecommerce/online_retail_2010-12_2011-08.csv.gz')
const CLOTHING = sharedData('ecommerce/eshop_clothing_2008.csv.gz')
const TECHBLOG = sharedData('weblogs/techblog_2016-02.log.gz')
const SEMICOMPLETE = sharedData('weblogs/semicomplete_2015-05.log.gz')

let folder: string
let server: RecordingServer

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nowcast-import-'))
  server = await startRecordingServer()
})
afterEach(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

/** Imports a file through a link, so that nothing is written beside the real one. */
async function importShared(file: string, options: Partial<ImportOptions> = {}) {
  return importFiles(optionsFor(await linkTo(file), options))
}

async function linkTo(file: string): Promise<string> {
  const link = join(folder, basename(file))
  await symlink(file, link)
  return link
}

function optionsFor(file: string, options: Partial<ImportOptions>): ImportOptions {
  const stateDir = join(folder, 'state')
  return { files: [file], project: 'shop', url: server.url, key: SECRET_KEY, stateDir, ...options }
}

/** A decimal with up to four places as ten-thousandths. */
function units(decimal: string): bigint {
  const [whole = '', places = ''] = decimal.replace('-', '').split('.')
  const value = BigInt(whole + places.padEnd(4, '0'))
  return decimal.startsWith('-') ? -value : value
}

describe('real data', () => {
  it.skipIf(!RETAIL)(
    'adds 320,705 order lines up to the reference value, although it is killed on the way',
    async () => {
      const sums = new Map<string, bigint>()
      const invoices = new Set<unknown>()
      const hours = new Set<number>()
      let total = 0n
      server.onEvent = ({ revenue, context, properties, timestamp }) => {
        total += units(String(revenue))
        const country = context?.country ?? '(none)'
        sums.set(country, (sums.get(country) ?? 0n) + units(String(revenue)))
        invoices.add(properties?.InvoiceNo)
        hours.add(Number(timestamp))
      }
      const options = optionsFor(await linkTo(RETAIL!), { map: ONLINE_RETAIL_MAP })
      const start = await bundleImport(folder)
      const child = start(options)
      while (server.ids.size < 100_000 && child.exitCode === null) await sleep(10)
      await kill(child)
      expect(server.ids.size).toBeLessThan(320_705)
      const report = await importFiles(options)
      process.stderr.write(`online retail: ${report.eventsPerSecond} events/s\n`)

      expect(report.files[0]!.resumedAfterLine).toBeGreaterThan(50_000)
      expect(report).toMatchObject({ lines: 320_705, accepted: 320_705, rejected: 0, blank: 0 })
      expect(server.ids.size).toBe(320_705)
      expect(total).toBe(units('5761931.382'))
      expect(invoices.size).toBe(16_459)
      expect(sums.get('GB')).toBe(units('4776808.812'))
      expect(sums.get('NL')).toBe(units('179431.60'))
      expect(sums.get('IE')).toBe(units('159594.06'))
      expect(sums.get('DE')).toBe(units('139514.58'))
      expect([...sums.keys()].sort()).toHaveLength(35)
      expect(hours.has(Date.parse('2010-12-01T08:26:00Z'))).toBe(true)
      expect(hours.has(Date.parse('2011-08-31T16:31:00Z'))).toBe(true)
      expect(server.disordered).toEqual([])
    },
  )

  it.skipIf(!TECHBLOG)('accounts for every line of an access log', async () => {
    const status = new Map<unknown, number>()
    const names = new Map<string, number>()
    const visitors = new Set<string>()
    const addresses = new Set<string>()
    server.onEvent = ({ name, properties, anonymousId, context }) => {
      status.set(properties?.status, (status.get(properties?.status) ?? 0) + 1)
      names.set(name, (names.get(name) ?? 0) + 1)
      visitors.add(anonymousId!)
      addresses.add(context!.ip!)
    }
    const report = await importShared(TECHBLOG!)
    process.stderr.write(`techblog: ${report.eventsPerSecond} events/s, ${JSON.stringify([...names])}\n`)

    expect(report).toMatchObject({ lines: 45_834, accepted: 45_834, rejected: 0 })
    expect(report.files[0]?.format).toBe('combined-log')
    expect(server.ids.size).toBe(45_834)
    expect([status.get(200), status.get(404), status.get(406), status.get(500)]).toEqual([37_374, 4_608, 1_625, 100])
    expect(names.get('error')).toBe(100)
    expect(addresses.size).toBe(2_531)
    expect(visitors.size).toBe(3_640)
    expect(server.disordered).toEqual([])
  })

  it.skipIf(!SEMICOMPLETE)('forgives an unterminated user agent', async () => {
    const status = new Map<unknown, number>()
    const addresses = new Set<string>()
    server.onEvent = ({ properties, context }) => {
      status.set(properties?.status, (status.get(properties?.status) ?? 0) + 1)
      addresses.add(context!.ip!)
    }
    const report = await importShared(SEMICOMPLETE!)
    expect(report).toMatchObject({ lines: 10_000, accepted: 10_000, rejected: 0 })
    expect([status.get(200), status.get(404), status.get(500)]).toEqual([9_126, 213, 3])
    expect(addresses.size).toBe(1_753)
  })

  it.skipIf(!CLOTHING)('reads a clickstream with a date in three columns and another delimiter', async () => {
    const sessions = new Set<string>()
    const categories = new Map<string, number>()
    const days = new Set<number>()
    server.onEvent = ({ sessionId, category, timestamp }) => {
      sessions.add(sessionId!)
      categories.set(category!, (categories.get(category!) ?? 0) + 1)
      days.add(Number(timestamp))
    }
    const date = ['year', { value: '-' }, 'month', { value: '-' }, 'day']
    const report = await importShared(CLOTHING!, {
      map: {
        name: { value: 'product_viewed' },
        timestamp: { concat: date, zone: 'Europe/Warsaw' },
        anonymousId: { column: 'session ID' },
        sessionId: { column: 'session ID' },
        category: { column: 'page 1 (main category)' },
      },
    })
    expect(report).toMatchObject({ lines: 165_474, accepted: 165_474 })
    expect(sessions.size).toBe(24_026)
    expect(['1', '2', '3', '4'].map((key) => categories.get(key))).toEqual([49_742, 38_408, 38_577, 38_747])
    expect(days.has(Date.parse('2008-03-31T22:00:00Z'))).toBe(true)
  })
})
