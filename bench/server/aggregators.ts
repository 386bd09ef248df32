import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { createKafkaEventLog } from '../../packages/server/src/adapters/kafka/kafka-event-log.ts'
import { createKafkaWindowFeed } from '../../packages/server/src/adapters/kafka/kafka-window-feed.ts'
import { createSoleMember } from '../../packages/server/src/adapters/memory/sole-member.ts'
import { createRedisHotStore } from '../../packages/server/src/adapters/redis/redis-hot-store.ts'
import { type Aggregator, createAggregator } from '../../packages/server/src/aggregate/aggregator.ts'
import { createWindowFollower } from '../../packages/server/src/aggregate/window-follower.ts'
import type { EventLog } from '../../packages/server/src/ports/event-log.ts'
import type { HotStore } from '../../packages/server/src/ports/hot-store.ts'
import { RecordBatchBuilder } from '../../packages/server/src/record/record-batch-builder.ts'
import { createTelemetry } from '../../packages/server/src/telemetry.ts'

/*
 * The stage between the log and the live figures, alone: Nowcast's own aggregator, or the follower of a job in Flink, with
 * a Redis. Told `{ open }` it starts; `{ counted }` waits until so many events are live, and answers what that took since
 * it was started or told so; `{ fresh }` appends events one by one, and answers how long each took to be live.
 */
interface Setup {
  kind: 'nowcast' | 'flink'
  brokers: string[]
  topic: string
  partitions: number
  windowsTopic: string
  redis: string
}

const POLL_MS = 10
/** Reading the figures is no part of counting: asked for seldom. */
const SELDOM_MS = 100
let log: EventLog
let hotStore: HotStore
let stage: Aggregator
/** When the counting began that is measured next, and what CPU had been used by then. */
let since: { at: number; cpu: NodeJS.CpuUsage } | undefined

const mark = () => ({ at: performance.now(), cpu: process.cpuUsage() })

async function open({ kind, brokers, topic, partitions, windowsTopic, redis }: Setup): Promise<object> {
  log = createKafkaEventLog({ brokers, topic, partitions })
  await log.start()
  const feed = kind === 'flink' ? createKafkaWindowFeed({ brokers, topic: windowsTopic }) : undefined
  await feed?.start()
  const counted = feed ? 1 : partitions
  const clock = { now: () => Date.now() }
  hotStore = createRedisHotStore(clock, { url: redis, partitions: counted, keyPrefix: `${kind}:` })
  await hotStore.start()
  const shared = { log, hotStore, clock, telemetry: createTelemetry(), logger: pino({ level: 'warn' }) }
  const group = createSoleMember({ partitions: counted })
  since = mark()
  stage = feed
    ? createWindowFollower({ ...shared, feed, group, eventStore: { hasOtherEpochs: async () => false } })
    : createAggregator(
        { ...shared, group, coldStart: async () => ({ offset: 0, completeFrom: 0 }) },
        { duplicateOffsets: Math.ceil(8_000_000 / partitions), duplicateMs: 86_400_000 },
      )
  await stage.start()
  return {}
}

async function liveEvents(): Promise<number> {
  let events = 0
  const { projects } = await hotStore.view()
  for (const { minutes } of projects.values()) {
    for (const window of minutes.values()) {
      window.visit((_id, count) => {
        events += count
      })
    }
  }
  return events
}

async function untilLive(events: number): Promise<void> {
  while ((await liveEvents()) < events) await sleep(POLL_MS)
}

async function counted(events: number): Promise<object> {
  const { at, cpu } = since ?? mark()
  since = undefined
  while ((await liveEvents()) < events) await sleep(SELDOM_MS)
  const { user, system } = process.cpuUsage(cpu)
  return { ms: performance.now() - at, cpuMs: (user + system) / 1000 }
}

async function fresh({ rounds, events }: { rounds: number; events: number }): Promise<object> {
  const ms: number[] = []
  await untilLive(events)
  for (let round = 1; round <= rounds; round++) {
    const builder = new RecordBatchBuilder()
    const id = crypto.getRandomValues(new Uint32Array(3))
    builder.ids.set(id, 0)
    builder.users.set(id.subarray(0, 2), 0)
    const cell = { project: 'bench', name: 'click', country: 'DE', device: 'mobile', category: '(none)' }
    const now = Date.now()
    builder.add({
      ...{ key: `bench:${round}`, receivedAt: now, time: now, revenue: undefined, row: '{}' },
      cell: { ...cell, hot1: '', hot2: '', unconverted: '' },
    })
    const batch = builder.finish()
    const startedAt = performance.now()
    await log.append(
      Array.from({ length: log.partitions }, (_, partition) =>
        partition === round % log.partitions ? batch : undefined,
      ),
    )
    await untilLive(events + round)
    ms.push(performance.now() - startedAt)
    await sleep(50 + 37 * (round % 20))
  }
  return { ms }
}

type Message = 'usage' | { open: Setup } | { counted: number } | { fresh: { rounds: number; events: number } }

async function answerTo(message: Message): Promise<object> {
  if (message === 'usage') return { bytes: process.memoryUsage().rss }
  if ('open' in message) return open(message.open)
  return 'counted' in message ? counted(message.counted) : fresh(message.fresh)
}

process.on('message', (message: Message) => {
  answerTo(message).then(
    (done) => process.send?.(done),
    (error: Error) => process.send?.({ error: error.stack }),
  )
})
process.on('disconnect', async () => {
  await stage?.stop()
  await hotStore?.stop()
  await log?.stop()
  process.exit()
})
