import { type ChildProcess, spawn } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  bundleEngine,
  clickHouseFixture,
  signalEngine,
} from '../../packages/server/src/adapters/clickhouse/clickhouse.conformance.ts'
import { type ModelEvent, rowsOf } from '../../packages/server/src/ports/event-store-model.conformance.ts'
import { endProcess } from '../servers/nowcast-cli.ts'
import { faultSeed, seededRandom } from './harness/seeded-random.ts'

const KILLS = Number(process.env.FAULT_KILLS ?? 40)
const MONTHS = 12
const EVENTS_PER_MONTH = 2000
/** Fewer than a month has, so that a month is copied in a second: a kill amid it makes the next process begin it again. */
const DAYS = 12
const END = Date.UTC(2021, 0)
const PATIENCE_MS = 300_000
vi.setConfig({ testTimeout: 120_000 + KILLS * 60_000, hookTimeout: PATIENCE_MS })

/** What the process says, line by line. */
interface Said {
  answers?: string[]
  /** Events that are still rows. */
  inRows?: number
  isWhole?: boolean
  steps?: Record<string, number[]>
  isDone?: boolean
  totals?: { events: number; held: number }[]
  strayed?: unknown
  failed?: string
}

const fixture = clickHouseFixture()
let dataDir: string
let engine: string
let program: string
let running: ChildProcess | undefined

beforeAll(async () => {
  engine = await bundleEngine()
  // Beside the engine's bundle, from where the packages are found.
  program = join(dirname(engine), 'retiring-process.mjs')
  const entry = fileURLToPath(new URL('./harness/retiring-process.ts', import.meta.url))
  const how = { bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external' } as const
  await build({ ...how, entryPoints: [entry], outfile: program })
  const migrations = new URL('../../packages/server/src/adapters/clickhouse/migrations/', import.meta.url)
  await cp(fileURLToPath(migrations), join(dirname(engine), 'migrations'), { recursive: true })

  dataDir = await fixture.folder()
  const store = await fixture.store(dataDir)
  for (let month = 0; month < MONTHS; month++) await store.insert(rowsOf(eventsOf(month)))
  await store.stop()
})
afterAll(async () => {
  if (running) await endProcess(running, 'SIGKILL')
  await fixture.cleanUp()
})

function eventsOf(month: number): ModelEvent[] {
  return Array.from({ length: EVENTS_PER_MONTH }, (_, i): ModelEvent => {
    const number = month * EVENTS_PER_MONTH + i
    const cents = String(number % 100).padStart(2, '0')
    return {
      ...{ offset: Math.floor(number / 2), partition: number % 2, project: 'shop', id: `e${number}`, name: 'purchase' },
      ts: Date.UTC(2020, month, 1 + (i % DAYS) * 2, i % 24, i % 60, 0, number % 1000),
      ...{
        userId: `u${number % 311}`,
        sessionId: `s${number % 733}`,
        country: ['DE', 'FR', '(none)'][i % 3] as string,
      },
      ...{ device: 'mobile', category: '(none)', revenue: `${i % 7 === 0 ? '-' : ''}${i}.${cents}` },
    }
  })
}

/** The process, what it has said, and a promise of the first saying of a kind. */
function start() {
  const child = spawn(process.execPath, [program, dataDir, engine, String(END)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running = child
  const said: Said[] = []
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line) as Said))
  const says = async (kind: keyof Said): Promise<Said> => {
    for (const until = Date.now() + PATIENCE_MS; ; await sleep(5)) {
      const found = said.find((one) => one[kind] !== undefined)
      if (found) return found
      if (child.exitCode !== null) throw new Error(`the process ended with ${child.exitCode}`)
      if (Date.now() > until) throw new Error(`it said no ${kind}, only ${JSON.stringify(said.slice(-5))}`)
    }
  }
  return { child, said, says }
}

test(`killed ${KILLS} times while old months are rolled up and deleted, every answer stays as it was`, async () => {
  const random = seededRandom(faultSeed())
  let expected: string[] | undefined
  /** Where each kill found the work: how many events were rows, and no hours yet. */
  const left: number[] = []
  let engines = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const { child, said, says } = start()
    const { answers, inRows, isWhole } = await says('answers')
    expected ??= answers
    expect(answers, `after ${kill} kills`).toEqual(expected)
    expect(isWhole).toBe(true)
    left.push(inRows as number)
    if (inRows === 0) break
    await sleep(random.between(0, 1500))
    if (random.chance(0.3) && signalEngine(dataDir, 'SIGKILL')) {
      engines++
      await sleep(random.between(0, 1500))
    }
    await endProcess(child, 'SIGKILL')
    expect(said.filter(({ strayed }) => strayed)).toEqual([])
  }
  process.stdout.write(`${left.length} starts, ${engines} engines killed; events that were rows: ${left.join(' ')}\n`)
  expect(left[0]).toBe(MONTHS * EVENTS_PER_MONTH)
  expect(new Set(left).size).toBeGreaterThan(2)

  const { child, says } = start()
  const { totals } = await says('isDone')
  expect(totals?.map(({ events, held }) => [events, held])).toEqual(
    Array.from({ length: MONTHS }, () => [EVENTS_PER_MONTH, EVENTS_PER_MONTH]),
  )
  await endProcess(child, 'SIGKILL')
  const last = start()
  expect(await last.says('answers')).toMatchObject({ answers: expected, inRows: 0, isWhole: true })
  const answered = (expected ?? []).slice(0, -3).reduce((sum, row) => sum + Number(row.split(' ')[2]), 0)
  expect(answered).toBe(MONTHS * EVENTS_PER_MONTH)
})
