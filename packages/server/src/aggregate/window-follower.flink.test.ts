import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../../../../test/servers/start-kafka.ts'
import { until } from '../../../../test/servers/until.ts'
import { createKafkaWindowFeed } from '../adapters/kafka/kafka-window-feed.ts'
import { createLmdbEventLog, type LmdbEventLog } from '../adapters/lmdb/lmdb-event-log.ts'
import { createMemoryHotStore } from '../adapters/memory/memory-hot-store.ts'
import { createSoleMember } from '../adapters/memory/sole-member.ts'
import { batchOf } from '../ports/event-log.conformance.ts'
import type { HotStore } from '../ports/hot-store.ts'
import type { WindowFeed } from '../ports/window-feed.ts'
import { createTelemetry } from '../telemetry.ts'
import type { Aggregator } from './aggregator.ts'
import { createWindowFollower } from './window-follower.ts'

const MINUTE_MS = 60_000
const CELL = ['p', 'click', 'DE', 'mobile', '(none)', '', '', ''].join('\0')

describe.skipIf(kafkaIsMissing)('windows that a job counts', () => {
  let kafka: KafkaServer
  let client: Kafka
  let producer: Producer
  let folder: string
  let log: LmdbEventLog
  let feed: WindowFeed
  let hotStore: HotStore
  let follower: Aggregator
  /** Time of the test's beginning, epoch ms. */
  let begun: number
  let ahead: number
  let hasOtherEpochs = false
  let topics = 0
  /** How often the follower has looked at a partition of the log. */
  let looks = 0

  beforeAll(async () => {
    kafka = await startKafka()
    client = new Kafka({ brokers: [kafka.address], logLevel: logLevel.NOTHING })
  })
  afterAll(() => kafka?.stop())

  beforeEach(async () => {
    begun = Date.now()
    ahead = 0
    hasOtherEpochs = false
    folder = mkdtempSync(join(tmpdir(), 'nowcast-follower-'))
    log = createLmdbEventLog({ path: join(folder, 'log'), partitions: 2 })
    await log.start()
    feed = createKafkaWindowFeed({ brokers: [kafka.address], topic: `follower-${topics++}` })
    await feed.start()
    producer = client.producer({ transactionalId: feed.name, maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    hotStore = createMemoryHotStore({ now }, { partitions: 1 })
    follower = createFollower()
    await follower.start()
  })
  afterEach(async () => {
    await follower.stop()
    await producer.disconnect()
    await feed.stop()
    await log.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const now = () => Date.now() + ahead

  const createFollower = () =>
    createWindowFollower({
      feed,
      log: {
        ...log,
        extent(partition: number) {
          looks++
          return log.extent(partition)
        },
      },
      hotStore,
      eventStore: { hasOtherEpochs: async () => hasOtherEpochs },
      clock: { now },
      telemetry: createTelemetry(),
      logger: pino({ level: 'silent' }),
      group: createSoleMember({ partitions: 1 }),
    })

  const minute = (events: number, at = thisMinute()) => ({
    key: { kind: 'minute', at, cell: CELL },
    value: { events, revenue: '0.0000', refunds: 0, refund_revenue: '0.0000' },
  })
  const positions = (generation: string, next: number[], first = [0, 0]) => ({
    key: { kind: 'positions', at: 0, cell: '' },
    value: {
      generation,
      partitions: next.map((offset, partition) => {
        const times = { first_at: begun - 3_600_000, last_at: begun }
        return { partition, first: first[partition], next: offset, ...times }
      }),
    },
  })

  /** As the job does: all in one transaction. */
  async function write(...rows: { key: object; value: object }[]): Promise<void> {
    const transaction = await producer.transaction()
    const messages = rows.map(({ key, value }) => ({ key: JSON.stringify(key), value: JSON.stringify(value) }))
    await transaction.send({ topic: feed.name, messages })
    await transaction.commit()
  }

  /** The clock goes on so far, and the follower sees nothing to complain of. */
  async function expectPatience(ms: number): Promise<void> {
    ahead += ms
    // The second look begins when what the first has found is told.
    for (const look of [1, 2]) {
      const before = looks
      await until(true, () => looks >= before + log.partitions)
      if (look === 1) ahead += 2001
    }
    expect(follower.problem).toBeUndefined()
  }

  const thisMinute = () => begun - (begun % MINUTE_MS)
  let appended = 0
  const append = (partition: number, count: number) => {
    const batch = batchOf(appended, appended + count)
    appended += count
    const batches = [0, 1].map((each) => (each === partition ? batch : undefined))
    return log.append(batches)
  }
  const since = async () => (await hotStore.view()).completeSince
  async function events(at = thisMinute()): Promise<number> {
    let sum = 0
    const window = (await hotStore.view()).projects.get('p')?.minutes.get(at)
    window?.visit((_id, count) => {
      sum += count
    })
    return sum
  }
  const reached = async (partition: number) => (await hotStore.fence(log.epoch, partition))?.offset

  test('are complete when the job has counted what was there, not before, and tell up to where', async () => {
    await append(0, 4)
    await append(1, 1)
    await write(minute(3), positions('a', [3]))
    await until(3, () => events())
    expect(await since()).toBe(Number.POSITIVE_INFINITY)
    await write(minute(5), positions('a', [4, 1]))
    await until(true, async () => Number.isFinite(await since()))
    expect(await events()).toBe(5)
    expect([await reached(0), await reached(1)]).toEqual([4, 1])
    // What comes later makes them no less complete.
    await append(0, 1)
    await write(minute(6), positions('a', [5, 1]))
    await until(6, () => events())
    expect(Number.isFinite(await since())).toBe(true)
  })

  test('of a job that began to count anew are complete only when it has caught up', async () => {
    await append(0, 3)
    await write(minute(3), positions('a', [3]))
    await until(true, async () => Number.isFinite(await since()))
    await write(minute(1), positions('b', [1]))
    await until(1, () => events())
    expect(await since()).toBe(Number.POSITIVE_INFINITY)
    await write(minute(3), positions('b', [3]))
    await until(true, async () => Number.isFinite(await since()))
    expect(await events()).toBe(3)
  })

  test('lack what the job did not read, and what another log held', async () => {
    await append(0, 3)
    await write(minute(1), positions('a', [3, 0], [2, 0]))
    await until(true, async () => Number.isFinite(await since()))
    // Received before the first one that was read, and so at most five minutes later.
    const from = begun - 3_600_000 + 1000 + 5 * MINUTE_MS
    expect(await since()).toBe(Math.ceil(from / MINUTE_MS) * MINUTE_MS)
    hasOtherEpochs = true
    await write(minute(1), positions('b', [3, 0]))
    await until(true, async () => (await hotStore.view()).revision > 1 && Number.isFinite(await since()))
    expect(await since()).toBeGreaterThanOrEqual(Math.ceil(from / MINUTE_MS) * MINUTE_MS)
  })

  test('go on where the store stands when another process follows', async () => {
    await append(0, 1)
    await write(minute(1), positions('a', [1]))
    await until(true, async () => Number.isFinite(await since()))
    await follower.stop()
    await write(minute(2), positions('a', [1]))
    follower = createFollower()
    await follower.start()
    await until(2, () => events())
    // The job is known: nothing had to be proved again.
    expect(Number.isFinite(await since())).toBe(true)
  })

  test('are complete again when a store that was emptied is filled from the feed', async () => {
    await append(0, 2)
    await write(minute(1), positions('a', [1]))
    await write(minute(2), positions('a', [2]))
    await until(true, async () => Number.isFinite(await since()))
    await follower.stop()
    hotStore = createMemoryHotStore({ now }, { partitions: 1 })
    follower = createFollower()
    await follower.start()
    await until(true, async () => Number.isFinite(await since()))
    expect([await events(), await reached(0)]).toEqual([2, 2])
  })

  test('that do not come although events wait are told, with what to do', async () => {
    await append(0, 2)
    expect(follower.problem).toBeUndefined()
    ahead += 31_000
    await until(true, () => follower.problem !== undefined)
    expect(follower.problem).toMatch(
      /follower-\d+ holds no windows of ours and 2 events wait: start the job with nowcast flink/,
    )
    await write(minute(1), positions('a', [1]))
    await until(1, () => events())
    await until(true, () => follower.problem === undefined)
    ahead += 31_000
    await until(true, () => follower.problem !== undefined)
    expect(follower.problem).toMatch(/the job in Flink has written nothing for \d+ s and 1 events wait: is it running/)
    await write(minute(2), positions('a', [2]))
    await until(true, () => follower.problem === undefined)
  })

  test('are no problem while no event comes, also after a change of processes, and not at once when one does', async () => {
    await append(0, 2)
    await write(minute(2), positions('a', [2]))
    await until(2, () => reached(0).then((offset) => offset ?? -1))
    await follower.stop()
    follower = createFollower()
    await follower.start()
    await expectPatience(31_000)
    await expectPatience(3_600_000)
    await append(0, 1)
    await expectPatience(3000)
  })

  test('that come, but later than events do, are told with how fast they come', async () => {
    await append(0, 10)
    await write(minute(1), positions('a', [1]))
    await until(1, () => events())
    await expectPatience(25_000)
    // It goes on, an event each 25 s, until some have waited for a minute.
    for (let next = 2; next < 8 && follower.problem === undefined; next++) {
      await write(minute(next), positions('a', [next]))
      await until(next, () => events())
      ahead += 25_000
      const before = looks
      await until(true, () => looks >= before + 2 * log.partitions)
    }
    expect(follower.problem).toMatch(
      /the job in Flink is behind: \d events wait, some for more than \d\d s, and it counts 0/,
    )
    await write(minute(10), positions('a', [10]))
    await until(true, () => follower.problem === undefined)
  })

  test('of a topic of events that was made anew are told', async () => {
    await append(0, 1)
    await write(minute(9), positions('a', [9]))
    await until(9, () => events())
    ahead += 3000
    await until(true, () => follower.problem !== undefined)
    expect(follower.problem).toMatch(
      /up to offset 9 of partition 0, which ends at 1: the topic of events was made anew/,
    )
  })
})
