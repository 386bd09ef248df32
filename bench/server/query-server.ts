import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createAdaptorServer } from '@hono/node-server'
import {
  type ClickHouseConnection,
  createClickHouseConnection,
} from '../../packages/server/src/adapters/clickhouse/clickhouse-connection.ts'
import { createClickHouseEventStore } from '../../packages/server/src/adapters/clickhouse/clickhouse-event-store.ts'
import { createReadToken } from '../../packages/server/src/api/read-token.ts'
import { createNowcast, type Nowcast } from '../../packages/server/src/create-nowcast.ts'
import { type Filling, fillLog } from './fill-log.ts'

/*
 * A server whose archive may hold many events before it starts. `{ fill }` writes so many, spread over a stretch of time,
 * into the very tables with their projections, `{ fillLog }` into the log; `start` answers with port, keys and token;
 * `{ settle }` waits until so many are live and archived, `{ correct }` until an answer has so many, live or not.
 * A folder as the only argument is kept, and filling goes on in it where it was.
 */

const PROJECT = {
  ...{ id: 'bench', writeKey: 'nc_pub_bench0000', secretKey: 'nc_sec_bench0000' },
  readSecret: 'the read secret of the benchmark',
}
const CHUNK = 500_000
/** Of an event with its rollups, at the most; measured with what is being merged. */
const DISK_BYTES = 150

const kept = process.argv[2]
const folder = kept ?? mkdtempSync(join(tmpdir(), 'nowcast-query-'))
mkdirSync(folder, { recursive: true })
const dataDir = join(folder, 'data')
const entry = fileURLToPath(new URL('./engine.js', import.meta.url))
let nowcast: Nowcast | undefined
let server: Server | undefined

/** The rows that a shop's month has: 20 countries, 4 devices, 8 categories, 6 names, a million users who return. */
const ROWS = `SELECT 1 AS log_epoch, 0 AS log_partition, number AS log_offset, 'bench' AS project, toString(number) AS id,
  ['page_view', 'page_view', 'click', 'purchase', 'error', 'search'][1 + cityHash64(number, 1) % 6] AS name,
  fromUnixTimestamp64Milli(toInt64({from:Int64} + number * {step:Float64}), 'UTC') AS ts, ts AS received_at,
  toString(cityHash64(number, 2) % 1000000) AS user_id, toString(cityHash64(intDiv(number, 8), 3) % 5000000) AS session_id,
  concat('/page/', toString(cityHash64(number, 4) % 200)) AS path,
  ['US', 'DE', 'GB', 'FR', 'JP', 'BR', 'IN', 'CA', 'IT', 'ES', 'NL', 'SE', 'PL', 'AT', 'CH', 'BE', 'DK', 'NO', 'FI', 'PT'][1 + cityHash64(number, 5) % 20] AS country,
  ['desktop', 'mobile', 'tablet', 'bot'][1 + least(3, intDiv(cityHash64(number, 6) % 100, 33))] AS device,
  concat('category ', toString(cityHash64(number, 7) % 8)) AS category,
  if(name = 'purchase', toDecimal64((cityHash64(number, 8) % 20000) / 100, 4), 0) AS revenue, '{}' AS properties
FROM numbers({first:UInt64}, {count:UInt64})`

async function fill(asked: Filling): Promise<object> {
  const plan = planOf(asked)
  const { events, from, to } = plan
  const location = { embedded: { dataDir: join(dataDir, 'clickhouse'), entry } }
  // Brings the tables.
  const store = createClickHouseEventStore(location)
  await store.start()
  await store.stop()
  const connection: ClickHouseConnection = createClickHouseConnection(location, { timeoutMs: 600_000 })
  await connection.start()
  const columns =
    'log_epoch, log_partition, log_offset, project, id, name, ts, received_at, user_id, session_id, path, country, device, category, revenue, properties'
  const [[rows] = ['0']] = await connection.rows<[string]>('SELECT count() FROM nowcast.events', { doing: 'counting' })
  const present = Number(rows)
  const begun = present - (present % CHUNK)
  const startedAt = performance.now()
  for (let first = begun; first < events; first += CHUNK) {
    const count = Math.min(CHUNK, events - first)
    // An insert that was interrupted may have come in parts.
    const missing =
      first < present
        ? ' WHERE number NOT IN (SELECT log_offset FROM nowcast.events WHERE log_offset >= {first:UInt64})'
        : ''
    await connection.command(`INSERT INTO nowcast.events (${columns}) ${ROWS}${missing}`, {
      doing: 'filling',
      parameters: { from, step: (to - from) / events, first, count },
      settings: { async_insert: 0, max_insert_threads: '1' },
    })
    tellProgress({
      done: first + count,
      events,
      perSecond: ((first + count - begun) * 1000) / (performance.now() - startedAt),
    })
  }
  await connection.stop()
  const elapsedMs = performance.now() - startedAt
  return { elapsedMs, inserted: Math.max(0, events - begun), from, to, bytes: bytesOf(join(dataDir, 'clickhouse')) }
}

/** What is filled into a folder that is kept stays as it was begun. */
function planOf(asked: Filling): Filling {
  const file = join(folder, 'filling.json')
  const plan: Filling = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : asked
  if (plan.events !== asked.events)
    throw new Error(`${folder} holds a filling of ${plan.events} events: ask for as many, or delete it`)
  const { bavail, bsize } = statfsSync(folder)
  const needed = plan.events * DISK_BYTES - bytesOf(dataDir)
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
  console.error(`about ${gigabytes(Math.max(0, needed))} of disk will be taken, ${gigabytes(bavail * bsize)} are free`)
  if (needed > bavail * bsize)
    throw new Error(`not enough disk in ${folder}: name a folder with --dir, or fewer --events`)
  writeFileSync(file, JSON.stringify(plan))
  return plan
}

function tellProgress({ done, events, perSecond }: { done: number; events: number; perSecond: number }): void {
  const minutes = (events - done) / perSecond / 60
  const share = ((100 * done) / events).toFixed(0)
  const bytes = bytesOf(join(dataDir, 'clickhouse')) / done
  console.error(
    `${share} %: ${done} events are in, ${perSecond.toFixed(0)} a second, ${bytes.toFixed(0)} bytes each, ${minutes.toFixed(0)} min to go`,
  )
}

/** Of all files below; merges remove files and folders while they are counted. */
function bytesOf(path: string): number {
  const here = statSync(path, { throwIfNoEntry: false })
  if (!here?.isDirectory()) return here?.size ?? 0
  return entriesOf(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0)
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function start(): Promise<object> {
  nowcast = await createNowcast({ dataDir, projects: [PROJECT] })
  server = createAdaptorServer({ fetch: nowcast.app.fetch }) as Server
  await nowcast.start()
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const token = await createReadToken({ project: PROJECT.id, readSecret: PROJECT.readSecret })
  const { writeKey, secretKey } = PROJECT
  return { port: (server.address() as AddressInfo).port, key: writeKey, secretKey, token }
}

async function stop(): Promise<void> {
  await nowcast?.stop()
  server?.close()
  server?.closeAllConnections()
}

/** Waits until so many since a moment are live and archived; a browser is known to the archive only. */
async function settle({ events, from }: { events: number; from: number }): Promise<object> {
  for (const filters of [{}, { browser: ['(none)', 'Chrome', 'other'] }]) {
    while ((await count(filters, from)) < events) await sleep(100)
  }
  return { settled: true }
}

async function count(filters: object, from: number): Promise<number> {
  const range = { from, to: Date.now() + 60_000 }
  const token = await createReadToken({ project: PROJECT.id, readSecret: PROJECT.readSecret })
  const answer = await nowcast?.app.request('/v1/query', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ kind: 'total', metric: 'events', range, bots: true, filters }),
  })
  return answer?.status === 200 ? ((await answer.json()) as { v: number }).v : -1
}

/** Waits for the first answer that has all events. */
async function correct({ events, from }: Counted): Promise<object> {
  while ((await count({}, from)) !== events) await sleep(10)
  return { correct: true }
}

type Counted = { events: number; from: number }
type Message = 'start' | { fill: Filling } | { fillLog: Filling } | { settle: Counted } | { correct: Counted }

process.on('message', async (message: Message) => {
  try {
    if (message === 'start') process.send?.(await start())
    else if ('fill' in message) process.send?.(await fill(message.fill))
    else if ('fillLog' in message) process.send?.(await fillLog(join(dataDir, 'log'), PROJECT, message.fillLog))
    else if ('settle' in message) process.send?.(await settle(message.settle))
    else process.send?.(await correct(message.correct))
  } catch (error) {
    process.send?.({ error: String((error as Error).stack) })
  }
})
process.on('disconnect', async () => {
  await stop()
  if (!kept) rmSync(folder, { recursive: true, force: true })
  process.exit()
})
