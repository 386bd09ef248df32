import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SeriesAnswer, TotalAnswer } from '@nowcast/protocol'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { knownProject, readTokenOf } from '../servers/known-projects.ts'
import { endProcess, spawnNowcast } from '../servers/nowcast-cli.ts'
import { ask, request } from '../servers/requests.ts'
import { startServer, type TestServer } from '../servers/start-server.ts'
import { until } from '../servers/until.ts'
import { parseUnits } from './harness/decimal-units.ts'

const MONTHS = 120
const LINES = 60_000
const FIRST_YEAR = 2015
/** An insert writes 120 parts with all their projections, each file with fsync: a minute where the disk is busy. */
const CATCH_UP_MS = 480_000
vi.setConfig({ testTimeout: 4 * CATCH_UP_MS })
const PROJECT = knownProject('shop', {})
const token = readTokenOf(PROJECT)
const range = { from: Date.UTC(FIRST_YEAR, 0), to: Date.UTC(FIRST_YEAR, MONTHS) }
/** Only raw rows can answer with it. */
const FROM_ROWS = { filters: { 'properties.run': ['import'] } }

interface Month {
  events: number
  units: bigint
}

let server: TestServer
const expected: Month[] = Array.from({ length: MONTHS }, () => ({ events: 0, units: 0n }))
beforeAll(async () => {
  server = await startServer({ config: { projects: [PROJECT] } })
})
afterAll(() => server?.remove())

/** Neighbouring lines lie in different months, so that every insert is as many parts as there are months. */
function lineOf(number: number): string {
  const month = number % MONTHS
  const timestamp = Date.UTC(FIRST_YEAR, month, 1 + (number % 27), number % 24, number % 60)
  const revenue = `${number % 5 === 0 ? '-' : ''}${number % 1000}.${String(number % 10_000).padStart(4, '0')}`
  const sums = expected[month] as Month
  sums.events++
  sums.units += parseUnits(revenue)
  return JSON.stringify({
    ...{ name: 'purchase', timestamp, userId: `u${number % 500}`, revenue, properties: { run: 'import' } },
  })
}

const counted = async (query: object) =>
  (await ask<TotalAnswer>(server.url, token, { kind: 'total', range, ...query }).catch(() => ({ v: -1 }))).v

/** What the running server has taken. */
async function acceptedEvents(): Promise<number> {
  const { body } = await request<{ text: string }>(`${server.url}/metrics`)
  return Number(/nowcast_events_accepted_total{[^}]*} (\d+)/.exec(body.text)?.[1] ?? 0)
}

/** A reading that no longer changes: requests of a killed process may still be under way. */
async function settled(read: () => Promise<number>): Promise<number> {
  for (let last = await read(); ; ) {
    await sleep(500)
    const next = await read()
    if (next === last) return next
    last = next
  }
}

async function monthsOf(query: object): Promise<{ events: number; revenue: string }[]> {
  const months = Array.from({ length: MONTHS }, () => ({ events: 0, units: 0n }))
  for (const metric of ['events', 'revenue'] as const) {
    const days = { kind: 'series', metric, granularity: 'day', timezone: 'UTC', range, ...query }
    for (const { t, v, exact } of (await ask<SeriesAnswer>(server.url, token, days)).series[0]?.points ?? []) {
      const time = new Date(t)
      const month = months[(time.getUTCFullYear() - FIRST_YEAR) * 12 + time.getUTCMonth()] as Month
      if (metric === 'events') month.events += v
      else month.units += parseUnits(exact as string)
    }
  }
  return months.map(({ events, units }) => ({ events, revenue: String(units) }))
}

test('an import over 120 months, killed half-way, and its server killed in the middle of the archive, ends exact', async () => {
  const file = join(server.folder, 'events.ndjson')
  await writeFile(file, Array.from({ length: LINES }, (_, number) => `${lineOf(number)}\n`).join(''))
  const importing = () => spawnNowcast(['import', file, '--data-dir', server.dataDir], server.folder)
  const killed = importing()
  while ((await acceptedEvents()) < LINES / 20) {
    expect(killed.exitCode).toBeNull()
    await sleep(2)
  }
  await endProcess(killed, 'SIGKILL')
  const acceptedBefore = await settled(acceptedEvents)
  expect(acceptedBefore).toBeLessThan(LINES)

  const child = importing()
  await until(true, async () => (await acceptedEvents()) > acceptedBefore, CATCH_UP_MS)
  const archivedBefore = await counted(FROM_ROWS)
  // The next insert is under way or behind the one that is seen.
  await until(true, async () => (await counted(FROM_ROWS)) > archivedBefore, CATCH_UP_MS)
  await server.kill()
  await server.start()
  if (child.exitCode === null) await new Promise((resolve) => child.once('close', resolve))
  expect(child.output().stdout).toMatch(/60,000 lines read, 60,000 accepted, 0 rejected/)

  await until(LINES, () => counted(FROM_ROWS), CATCH_UP_MS)
  const months = expected.map(({ events, units }) => ({ events, revenue: String(units) }))
  expect(await monthsOf(FROM_ROWS)).toEqual(months)
  expect(await monthsOf({})).toEqual(months)
  const { code, stdout } = await server.run('audit', '--from', '2015-01-01')
  expect(stdout).toContain('clean')
  expect(code).toBe(0)
})
