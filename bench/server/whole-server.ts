import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createAdaptorServer } from '@hono/node-server'
import { createClickHouseEventStore } from '../../packages/server/src/adapters/clickhouse/clickhouse-event-store.ts'
import { createLmdbEventLog } from '../../packages/server/src/adapters/lmdb/lmdb-event-log.ts'
import { InsertBatchBuilder } from '../../packages/server/src/archive/insert-batch.ts'
import { createLogReader } from '../../packages/server/src/consume/log-reader.ts'
import { createNowcast, type Nowcast } from '../../packages/server/src/create-nowcast.ts'
import { cpuMsOf } from './process-cpu.ts'

/*
 * The whole server with its engine, in a data directory of its own; told `{ start }`, with Kafka, Redis and other
 * projects. It answers with its port; `settle` waits until
 * so many events are live and archived, compares all of them, and answers when that was; `insert` stops the server and
 * writes what its log holds into an empty archive, insert by insert as large as the archiver's, and nothing else.
 */

const WRITE_KEY = 'nc_pub_bench0000'
const PROJECT = { id: 'bench', writeKey: WRITE_KEY, secretKey: 'nc_sec_bench0000', readSecret: 'x'.repeat(32) }
const INSERT_BYTES = 16 * 1024 * 1024

const dataDir = mkdtempSync(join(tmpdir(), 'nowcast-bench-'))
let nowcast: Nowcast
let server: Server

async function start(services: Services = {}): Promise<object> {
  nowcast = await createNowcast({ dataDir, projects: [PROJECT], ...services })
  server = createAdaptorServer({ fetch: nowcast.app.fetch }) as Server
  await nowcast.start()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, key: WRITE_KEY, ...cpu() }
}

/** CPU time of this process and of its child, the engine, ms. */
function cpu(): { serverMs: number; engineMs: number } {
  const { user, system } = process.cpuUsage()
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ')
  const engineMs = children.filter(Boolean).reduce((sum, pid) => sum + cpuMsOf(Number(pid)), 0)
  return { serverMs: (user + system) / 1000, engineMs }
}

async function settle(events: number): Promise<object> {
  const reached: Record<string, number> = {}
  while (!(reached.aggregate && reached.archive)) {
    const text = await (await nowcast.app.request('/metrics')).text()
    for (const [, stage = '', count] of text.matchAll(/^nowcast_events_processed_total\{stage="(\w+)"\} (\d+)/gm)) {
      if (Number(count) >= events) reached[stage] ??= Date.now()
    }
    await sleep(50)
  }
  const used = cpu()
  const { differences } = await nowcast.audit()
  return { liveAt: reached.aggregate, archivedAt: reached.archive, differences: differences.length, ...used }
}

async function insert(): Promise<object> {
  await nowcast.stop()
  server.close()
  const log = createLmdbEventLog({ path: join(dataDir, 'log') })
  await log.start()
  const entry = fileURLToPath(new URL('./engine.js', import.meta.url))
  const store = createClickHouseEventStore({ embedded: { dataDir: join(dataDir, 'limit'), entry } })
  await store.start()
  const inserts = await readInserts(log)
  const before = cpu()
  const startedAt = performance.now()
  let rows = 0
  for (const batch of inserts) {
    await store.insert(batch.bytes())
    rows += batch.rows
  }
  const elapsedMs = performance.now() - startedAt
  const after = cpu()
  await store.stop()
  await log.stop()
  return { rows, inserts: inserts.length, elapsedMs, engineMs: after.engineMs - before.engineMs }
}

async function readInserts(log: ReturnType<typeof createLmdbEventLog>): Promise<InsertBatchBuilder[]> {
  const readers = Array.from({ length: log.partitions }, (_, partition) =>
    createLogReader(log, { partition, duplicateOffsets: 100_000, duplicateMs: 1 }),
  )
  const inserts: InsertBatchBuilder[] = []
  for (const reader of readers) await reader.seek(0)
  for (;;) {
    const batch = new InsertBatchBuilder(log.epoch, INSERT_BYTES, false)
    for (const [partition, reader] of readers.entries()) {
      while (batch.size < (INSERT_BYTES * (partition + 1)) / readers.length) {
        const slice = await reader.next()
        if (!slice) break
        batch.add(slice)
      }
    }
    if (batch.rows === 0) return inserts
    inserts.push(batch)
  }
}

/** Kafka and Redis in place of the embedded log and memory, and other projects than the usual one. */
type Services = Pick<Parameters<typeof createNowcast>[0] & object, 'kafka' | 'redis' | 'projects'>
type Message = 'start' | { start: Services } | 'insert' | { settle: number }

process.on('message', async (message: Message) => {
  try {
    if (message === 'start') process.send?.(await start())
    else if (typeof message === 'object' && 'start' in message) process.send?.(await start(message.start))
    else if (message === 'insert') process.send?.(await insert())
    else process.send?.(await settle(message.settle))
  } catch (error) {
    process.send?.({ error: String((error as Error).stack) })
  }
})
process.on('disconnect', async () => {
  await nowcast?.stop()
  rmSync(dataDir, { recursive: true, force: true })
  process.exit()
})
