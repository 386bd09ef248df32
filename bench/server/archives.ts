import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createClickHouseEventStore } from '../../packages/server/src/adapters/clickhouse/clickhouse-event-store.ts'
import { createDruidEventStore } from '../../packages/server/src/adapters/druid/druid-event-store.ts'
import { createKafkaUniqueRows } from '../../packages/server/src/adapters/kafka/kafka-unique-rows.ts'
import type { AggregateRequest, AggregateRow, EventStore } from '../../packages/server/src/ports/event-store.ts'
import { type DruidCluster, druidIsMissing, startDruid } from '../../test/servers/start-druid.ts'
import { type KafkaServer, startKafka } from '../../test/servers/start-kafka.ts'

/*
 * Both archives with the same events: ClickHouse's embedded engine, and Druid behind its topic. `start` starts them;
 * `{ fill }` writes so many events over a stretch of time, and answers how long each took until all could be asked for;
 * `settle` waits until Druid's segments lie on disk; `{ ask }` answers how long a question took each of them, and how
 * often they differed.
 */

const TOPIC = 'bench.unique'
const CHUNK = 20_000
const SETTLE_MS = 15 * 60_000
const COUNTRIES = ['US', 'DE', 'GB', 'FR', 'JP', 'BR', 'IN', 'CA', 'IT', 'ES', 'NL', 'SE', 'PL', 'AT', 'CH', 'BE', 'DK']
const NAMES = ['page_view', 'page_view', 'click', 'purchase', 'error', 'search']
const DEVICES = ['desktop', 'mobile', 'tablet', 'bot']

const folder = mkdtempSync(join(tmpdir(), 'nowcast-archives-'))
let kafka: KafkaServer | undefined
let druid: DruidCluster | undefined
let stores: { clickhouse: EventStore; druid: EventStore }

interface Filling {
  events: number
  /** Time of the first event and end of the stretch, epoch ms. */
  from: number
  to: number
}

async function start(): Promise<object> {
  if (druidIsMissing) throw new Error(druidIsMissing)
  kafka = await startKafka()
  // As in a real one: code is compiled in full.
  druid = await startDruid({ jvm: [] })
  const entry = fileURLToPath(new URL('./engine.js', import.meta.url))
  const rows = createKafkaUniqueRows({
    ...{ brokers: [kafka.address], topic: TOPIC, partitions: 1, retentionMs: 24 * 3_600_000 },
  })
  stores = {
    clickhouse: createClickHouseEventStore({ embedded: { dataDir: join(folder, 'clickhouse'), entry } }),
    druid: createDruidEventStore(rows, {
      ...{ url: druid.url, consumerProperties: { 'bootstrap.servers': kafka.address } },
    }),
  }
  for (const store of Object.values(stores)) await store.start()
  return {}
}

/** The rows that a shop's month has, in the order of time. */
function rowsOf(first: number, count: number, { events, from, to }: Filling): Buffer {
  let state = first + 1
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const pick = <T>(values: readonly T[]) => values[random(values.length)] as T
  const lines: string[] = []
  for (let offset = first; offset < first + count; offset++) {
    const ts = Math.floor(from + ((to - from) * offset) / events)
    const name = pick(NAMES)
    const money = name === 'purchase' ? `${random(200)}.${10 + random(90)}00` : undefined
    const row = {
      ...{ log_epoch: 1, log_partition: 0, log_offset: offset, project: 'bench', received_at: ts, ts },
      ...{ id: String(offset), name, user_id: `u${random(1_000_000)}`, session_id: `s${Math.floor(offset / 8)}` },
      ...{ path: `/page/${random(200)}`, category: `category ${random(8)}`, country: pick(COUNTRIES) },
      ...{ device: DEVICES[Math.min(3, Math.floor(random(100) / 33))] },
      ...(money && { amount: money, currency: 'USD', revenue: money }),
    }
    lines.push(JSON.stringify(row))
  }
  return Buffer.from(lines.join('\n'))
}

async function fill(asked: Filling): Promise<object> {
  const elapsed = { clickhouse: 0, druid: 0 }
  for (let first = 0; first < asked.events; first += CHUNK) {
    const rows = rowsOf(first, Math.min(CHUNK, asked.events - first), asked)
    for (const name of ['clickhouse', 'druid'] as const) {
      const startedAt = performance.now()
      await stores[name].insert(rows)
      elapsed[name] += performance.now() - startedAt
    }
  }
  const startedAt = performance.now()
  while ((await stores.druid.countOffsets(1, 0, 0, asked.events).catch(() => 0)) < asked.events) await sleep(500)
  elapsed.druid += performance.now() - startedAt
  return elapsed
}

/** Ends the running tasks, so that what they hold becomes segments of the historical. */
async function settle(): Promise<object> {
  const api = `${druid?.url}/druid`
  const supervisor = `${api}/indexer/v1/supervisor/${TOPIC}`
  await fetch(`${supervisor}/suspend`, { method: 'POST' })
  const deadline = performance.now() + SETTLE_MS
  for (;;) {
    const tasks = (await (await fetch(`${api}/indexer/v1/tasks?state=running`)).json()) as unknown[]
    const status = (await (await fetch(`${api}/coordinator/v1/loadstatus`)).json()) as Record<string, number>
    if (tasks.length === 0 && status[TOPIC] === 100) return {}
    if (performance.now() > deadline) throw new Error('Druid has not handed its segments over')
    await sleep(1000)
  }
}

const sorted = (rows: readonly AggregateRow[]) => rows.map(({ t, key, values }) => `${t} ${key} ${values}`).join('\n')

async function ask(request: AggregateRequest): Promise<object> {
  const answers: Record<string, { ms: number; rows: AggregateRow[] }> = {}
  for (const name of ['clickhouse', 'druid'] as const) {
    const startedAt = performance.now()
    const rows = await stores[name].aggregate(request)
    answers[name] = { ms: performance.now() - startedAt, rows }
  }
  const [clickhouse, other] = [answers.clickhouse, answers.druid]
  const isSketch = request.measures.some((measure) => ['users', 'buyers', 'sessions'].includes(measure))
  const differs = !isSketch && sorted(clickhouse?.rows ?? []) !== sorted(other?.rows ?? [])
  return { clickhouse: clickhouse?.ms, druid: other?.ms, rows: other?.rows.length, differs }
}

process.on('message', (message: 'start' | 'settle' | { fill: Filling } | { ask: AggregateRequest }) => {
  const answer =
    message === 'start'
      ? start()
      : message === 'settle'
        ? settle()
        : 'fill' in message
          ? fill(message.fill)
          : ask(message.ask)
  answer.then(
    (done) => process.send?.(done),
    (error: Error) => process.send?.({ error: error.message }),
  )
})
process.on('disconnect', async () => {
  await Promise.allSettled(Object.values(stores ?? {}).map((store) => store.stop()))
  await druid?.stop()
  await kafka?.stop()
  rmSync(folder, { recursive: true, force: true })
  process.exit()
})
