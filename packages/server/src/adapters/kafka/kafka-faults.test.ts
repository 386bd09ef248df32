import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { freePorts } from '../../../../../scripts/loopback-ports.mjs'
import { type KafkaServer, kafkaIsMissing, startKafka } from '../../../../../test/servers/start-kafka.ts'
import { startTcpProxy, type TcpProxy } from '../../../../../test/servers/tcp-proxy.ts'
import { createLogReader } from '../../consume/log-reader.ts'
import { createGroupAppender } from '../../ingest/group-appender.ts'
import { batchOf, rowsOf } from '../../ports/event-log.conformance.ts'
import type { EventLog } from '../../ports/event-log.ts'
import { createKafkaEventLog, type KafkaEventLogOptions } from './kafka-event-log.ts'

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

/** Whether a request begins as one that writes: its length, then 0. */
const isProduce = (request: Buffer) => request.length >= 6 && request.readInt16BE(4) === 0

describe.skipIf(kafkaIsMissing)('whatever happens to broker and network', () => {
  let kafka: KafkaServer
  let way: TcpProxy
  let topics = 0
  let topic: string
  const opened: EventLog[] = []
  beforeAll(async () => {
    const [port] = (await freePorts(1)) as [number]
    kafka = await startKafka({ proxies: [port] })
    way = await startTcpProxy(kafka.proxied[0] as { port: number }, port)
  })
  afterEach(async () => {
    way.mode('pass')
    way.refuse(false)
    way.swallowAnswersTo(undefined)
    way.delay(0)
    await Promise.all(opened.splice(0).map((log) => log.stop()))
  })
  afterAll(async () => {
    await way.stop()
    await kafka.stop()
  })

  /** A log that is reached through the proxy. */
  async function open(options: Partial<KafkaEventLogOptions> = {}): Promise<EventLog> {
    topic = options.topic ?? `faults-${topics++}`
    const log = createKafkaEventLog({ brokers: [way.address], partitions: 2, ...options, topic })
    await log.start()
    opened.push(log)
    return log
  }

  /** Numbers of a partition's events as consumers count them, and how many offsets there are. */
  async function counted(log: EventLog, partition: number): Promise<{ numbers: number[]; offsets: number }> {
    const reader = createLogReader(log, { partition, duplicateOffsets: 1_000_000, duplicateMs: 3_600_000 })
    await reader.seek(0)
    const numbers: number[] = []
    for (let slice = await reader.next(); slice; slice = await reader.next()) {
      const rows = rowsOf(slice.batch) as { n: number }[]
      for (let i = slice.first; i < slice.last; i++) if (!slice.excluded[i]) numbers.push((rows[i] as { n: number }).n)
    }
    return { numbers, offsets: reader.position }
  }

  /** Appends as a client does: the same batch again until it is taken. */
  async function appendUntilTaken(log: EventLog, from: number, to: number): Promise<number> {
    for (let tries = 1; ; tries++) {
      try {
        await log.append([batchOf(from, to), batchOf(from, to)])
        return tries
      } catch (error) {
        expect(error).toMatchObject({ code: 'log_unavailable', retryable: true })
        if (tries > 200) throw error
        await sleep(50)
      }
    }
  }

  test('after acknowledgements were swallowed past all retries, equal batches are in the log when they are acknowledged', async () => {
    const log = await open({ appendTimeoutMs: 1500, requestTimeoutMs: 400 })
    await log.append([batchOf(0, 10)])
    way.swallowAnswersTo(isProduce)
    await expect(log.append([batchOf(10, 20)])).rejects.toMatchObject({ code: 'log_unavailable', retryable: true })
    way.swallowAnswersTo(undefined)
    for (let i = 2; i < 12; i++) await appendUntilTaken(log, i * 10, i * 10 + 10)
    const { numbers, offsets } = await counted(await open({ topic, brokers: [kafka.address] }), 0)
    // What was acknowledged is there, in its order; what was refused is there too, more than once, and counted once.
    expect(numbers).toEqual(range(0, 120))
    expect(offsets).toBeGreaterThan(numbers.length)
  })

  test('an append whose acknowledgement is lost once is sent again inside', async () => {
    const log = await open({ requestTimeoutMs: 400 })
    await log.append([batchOf(0, 10)])
    way.swallowAnswersTo(isProduce)
    const appended = log.append([batchOf(10, 20)])
    await sleep(200)
    way.swallowAnswersTo(undefined)
    await appended
    const { numbers, offsets } = await counted(log, 0)
    expect([numbers, offsets]).toEqual([range(0, 20), 30])
  })

  test('connections that break while events are written and read lose, repeat and disorder nothing', async () => {
    const log = await open()
    const breaking = { isOver: false }
    const breaks = (async () => {
      for (let i = 0; !breaking.isOver; i++) {
        await sleep(30 + ((i * 37) % 90))
        way.reset()
      }
    })()
    const read: number[] = []
    const reader = createLogReader(log, { partition: 1, duplicateOffsets: 1_000_000, duplicateMs: 3_600_000 })
    await reader.seek(0)
    const reading = (async () => {
      while (read.length < 600) {
        const slice = await reader.next().catch(() => undefined)
        if (!slice) {
          await sleep(10)
          continue
        }
        const rows = rowsOf(slice.batch) as { n: number }[]
        for (let i = slice.first; i < slice.last; i++) if (!slice.excluded[i]) read.push((rows[i] as { n: number }).n)
      }
    })()
    for (let i = 0; i < 60; i++) await appendUntilTaken(log, i * 10, i * 10 + 10)
    breaking.isOver = true
    await Promise.all([breaks, reading])
    expect(read).toEqual(range(0, 600))
    expect((await counted(log, 0)).numbers).toEqual(range(0, 600))
  })

  test('a broker that is killed and started again under load has every acknowledged event, in order', async () => {
    const log = await open()
    const killing = (async () => {
      for (let i = 0; i < 2; i++) {
        await sleep(300)
        await kafka.kill()
        await kafka.start()
      }
    })()
    let done = false
    void killing.then(() => {
      done = true
    })
    let next = 0
    for (; !done || next < 20; next++) await appendUntilTaken(log, next * 5, next * 5 + 5)
    await killing
    for (const partition of [0, 1]) expect((await counted(log, partition)).numbers).toEqual(range(0, next * 5))
  })

  test('while nobody answers, appends and reads fail within their bound, memory has its bound, and then all goes on', async () => {
    const log = await open({ appendTimeoutMs: 2000, requestTimeoutMs: 700, readTimeoutMs: 1000, connectTimeoutMs: 700 })
    await log.append([batchOf(0, 10)])
    expect((await counted(log, 0)).numbers).toEqual(range(0, 10))
    for (const cut of [() => way.mode('hold'), () => way.refuse(true)]) {
      cut()
      way.reset()
      const startedAt = performance.now()
      await expect(log.append([batchOf(10, 20)])).rejects.toMatchObject({ code: 'log_unavailable', retryable: true })
      await expect(log.readIdentities(0, 0, 10)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
        code: 'log_unavailable',
      })
      // Generous: on a busy machine timers are late, but nothing waits for ever.
      expect(performance.now() - startedAt).toBeLessThan(20_000)

      const appender = createGroupAppender(log, { maxWaitingBytes: 200_000 })
      const waiting: Promise<void>[] = []
      const fill = () => {
        const group = appender.open()
        const builder = group.builder(0)
        for (let i = 0; i < 20; i++) {
          const { cells } = batchOf(0, 1)
          const row = JSON.stringify({ padding: 'x'.repeat(1000) })
          builder.ids.fill(i, builder.count * 3, builder.count * 3 + 3)
          builder.add({ key: 'p:u', receivedAt: 0, time: 0, revenue: undefined, cell: cells[0] as never, row })
        }
        appender.schedule()
        waiting.push(group.durable)
      }
      const outcome = await (async () => {
        for (let i = 0; i < 1000; i++) {
          try {
            fill()
          } catch (error) {
            return error
          }
          await sleep(1)
        }
        return undefined
      })()
      expect(outcome).toMatchObject({ code: 'buffer_full', retryable: true })
      expect(appender.waitingBytes).toBeLessThan(250_000)
      const settled = await Promise.allSettled(waiting)
      expect(settled.every(({ status }) => status === 'rejected')).toBe(true)
      way.mode('pass')
      way.refuse(false)
      await appendUntilTaken(log, 10, 20)
    }
  })

  test('a slow network slows appends and breaks nothing', async () => {
    const log = await open()
    way.delay(120)
    const startedAt = performance.now()
    for (let i = 0; i < 3; i++) await log.append([batchOf(i * 5, i * 5 + 5), batchOf(i, i + 1)])
    expect(performance.now() - startedAt).toBeGreaterThan(350)
    way.delay(0)
    expect((await counted(log, 0)).numbers).toEqual(range(0, 15))
  })
})
