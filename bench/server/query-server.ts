import { mkdtempSync, rmSync } from 'node:fs'
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

/*
 * A server whose archive may hold many events before it starts. `{ fill }` writes so many, spread over 30 days that end a
 * day ago, into the very tables with their projections; `start` answers with port, keys and token; `{ settle }` waits
 * until so many are live and archived; `restart` ends the server and starts it again, and says how long its first correct
 * answer took.
 */

const DAY_MS = 86_400_000
const PROJECT = {
  ...{ id: 'bench', writeKey: 'nc_pub_bench0000', secretKey: 'nc_sec_bench0000' },
  readSecret: 'the read secret of the benchmark',
}
const CHUNK = 500_000

const folder = mkdtempSync(join(tmpdir(), 'nowcast-query-'))
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

async function fill(events: number): Promise<object> {
  const location = { embedded: { dataDir: join(dataDir, 'clickhouse'), entry } }
  // Brings the tables.
  const store = createClickHouseEventStore(location)
  await store.start()
  await store.stop()
  const connection: ClickHouseConnection = createClickHouseConnection(location, { timeoutMs: 600_000 })
  await connection.start()
  const startedAt = performance.now()
  const from = Date.now() - 31 * DAY_MS
  const columns =
    'log_epoch, log_partition, log_offset, project, id, name, ts, received_at, user_id, session_id, path, country, device, category, revenue, properties'
  for (let first = 0; first < events; first += CHUNK) {
    const count = Math.min(CHUNK, events - first)
    await connection.command(`INSERT INTO nowcast.events (${columns}) ${ROWS}`, {
      doing: 'filling',
      parameters: { from, step: (30 * DAY_MS) / events, first, count },
      settings: { async_insert: 0, max_insert_threads: '1' },
    })
    if ((first / CHUNK) % 10 === 9) console.error(`${first + count} events are in`)
  }
  await connection.stop()
  return { elapsedMs: performance.now() - startedAt }
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

/** Waits until so many of the last day are live and archived; a path is known to the archive only. */
async function settle(events: number): Promise<object> {
  for (const filters of [{}, { browser: ['(none)', 'Chrome', 'other'] }]) {
    while ((await count(filters)) < events) await sleep(100)
  }
  return { settled: true }
}

async function count(filters: object): Promise<number> {
  const token = await createReadToken({ project: PROJECT.id, readSecret: PROJECT.readSecret })
  const answer = await nowcast?.app.request('/v1/query', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ kind: 'total', metric: 'events', range: { last: '25h' }, bots: true, filters }),
  })
  return answer?.status === 200 ? ((await answer.json()) as { v: number }).v : -1
}

/** From the start of the new server to its first answer that has all events. */
async function restart(events: number): Promise<object> {
  await stop()
  const startedAt = performance.now()
  await start()
  const readyMs = performance.now() - startedAt
  while ((await count({})) !== events) await sleep(10)
  return { readyMs, correctMs: performance.now() - startedAt }
}

type Message = 'start' | { fill: number } | { settle: number } | { restart: number }

process.on('message', async (message: Message) => {
  try {
    if (message === 'start') process.send?.(await start())
    else if ('fill' in message) process.send?.(await fill(message.fill))
    else if ('settle' in message) process.send?.(await settle(message.settle))
    else process.send?.(await restart(message.restart))
  } catch (error) {
    process.send?.({ error: String((error as Error).stack) })
  }
})
process.on('disconnect', async () => {
  await stop()
  rmSync(folder, { recursive: true, force: true })
  process.exit()
})
