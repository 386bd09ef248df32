import { setTimeout as sleep } from 'node:timers/promises'
import { NowcastError } from '../../errors.ts'
import type { EventLog, LogIdentities, LogSlice } from '../../ports/event-log.ts'
import type { KafkaConnectionOptions } from './broker-link.ts'
import { KafkaError, kafkaErrorOf } from './kafka-error.ts'
import { createRecordAppender, type RecordAppenderOptions } from './record-appender.ts'
import { createRecordFetcher, type RecordFetcherOptions } from './record-fetcher.ts'
import { compressionProblem } from './records/compression.ts'
import { type DecodedRecords, decodeRecords } from './records/decode-records.ts'
import { createTopicOffsets } from './topic-offsets.ts'
import { openTopic, type TopicOptions } from './topic-settings.ts'
import { createTopicView } from './topic-view.ts'
import { fetchRequest, readFetched } from './wire/fetch.ts'

/** What is known of a partition's ends counts as true for so long. */
const FRESH_MS = 1000
const FETCH_MS = 5000
const RETRY_MS = 50
const IDENTITY_BYTES = 4 * 1024 * 1024
/** The clocks of ingest and brokers may differ by so much. */
const CLOCK_SLACK_MS = 10 * 60_000

export interface KafkaEventLogOptions
  extends KafkaConnectionOptions,
    TopicOptions,
    RecordAppenderOptions,
    RecordFetcherOptions {}

/** The log of a cluster: one topic of Kafka. */
export function createKafkaEventLog(options: KafkaEventLogOptions): EventLog {
  const { topic = 'nowcast.events', partitions = 12 } = options
  const view = createTopicView(topic, options)
  const offsets = createTopicOffsets(view)
  const fetcher = createRecordFetcher(view, offsets, options)
  const appender = createRecordAppender(view, options, (partition, end) => {
    offsets.noteEnd(partition, end)
    fetcher.noteAppend(partition)
  })
  let id: Buffer = Buffer.alloc(0)

  /** Another topic of the same name: nothing that is known of the old one holds. */
  function checkTopic(): void {
    if (view.id.equals(id)) return
    id = view.id
    offsets.reset()
    fetcher.reset()
  }

  function checkPartition(partition: number): void {
    if (partition < 0 || partition >= partitions)
      throw new RangeError(`no partition ${partition}: there are ${partitions}`)
    checkTopic()
  }

  async function fetchAt(partition: number, from: number, maxBytes: number): Promise<DecodedRecords | undefined> {
    const { leaders, problem } = view.byLeader([partition])
    if (problem) throw problem
    const [leader] = leaders.keys()
    const request = fetchRequest({
      topicId: view.id,
      partitions: [{ partition, offset: from }],
      maxWaitMs: 0,
      maxBytes,
      partitionMaxBytes: maxBytes,
    })
    const link = view.link(leader as number, 'catch-up')
    const answer = await link.send(request, FETCH_MS)
    const { errorCode, partitions: fetched } = readFetched(answer)
    const error = kafkaErrorOf(errorCode || (fetched[0]?.errorCode ?? 0))
    if (error) {
      // Another broker may lead by now, or another topic have the name: the next try must know.
      await view.refresh().catch(() => {})
      throw error
    }
    const decoded = fetched[0] && decodeRecords(fetched[0].records, from, 'identities')
    link.release(answer)
    return decoded
  }

  /** As `fetchAt`; nothing is only the answer where the log ends, lest repeats be forgotten. */
  async function fetchPresent(partition: number, from: number, to: number): Promise<DecodedRecords | undefined> {
    const deadline = performance.now() + FETCH_MS
    for (;;) {
      try {
        const decoded = await fetchAt(partition, from, IDENTITY_BYTES)
        if (decoded) return decoded
        const { end } = await offsets.ask(partition)
        if (from >= Math.min(end, to)) return undefined
        if (performance.now() > deadline) {
          throw new KafkaError('TIMEOUT', `partition ${partition} has events from ${from} on, but gave none`)
        }
      } catch (error) {
        // The leader may be another by now; the next attempt asks that one.
        await view.refresh().catch(() => {})
        throw error
      }
      await sleep(RETRY_MS)
    }
  }

  async function* readIdentities(partition: number, from: number, to: number): AsyncGenerator<LogIdentities> {
    checkPartition(partition)
    const { start } = await inWords(() => offsets.extent(partition, FRESH_MS))
    let at = Math.max(from, start)
    while (at < to) {
      const decoded = await inWords(() => fetchPresent(partition, at, to))
      if (!decoded) return
      const { offset, batch } = decoded
      const skip = Math.max(0, at - offset)
      const end = Math.min(batch.count, to - offset)
      yield {
        offset: offset + skip,
        ids: batch.ids.subarray(skip * 3, end * 3),
        receivedAt: batch.receivedAt.subarray(skip, end),
      }
      at = offset + end
    }
  }

  async function offsetAt(partition: number, receivedAt: number): Promise<number> {
    const { start, end } = await offsets.extent(partition, FRESH_MS)
    // What was received since then was appended since then, by the broker's clock.
    let low = Math.max(start, await offsets.appendedSince(partition, Math.max(0, receivedAt - CLOCK_SLACK_MS)))
    let high = end
    // Received times rise with the offsets: by halves.
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const decoded = await fetchAt(partition, middle, 1)
      if (!decoded) return low
      const { offset, batch } = decoded
      const first = batch.receivedAt.findIndex((time) => time >= receivedAt)
      if (first < 0) low = offset + batch.count
      else if (first > 0 || offset <= low) return Math.max(low, offset + first)
      else high = offset
    }
    return Math.min(low, end)
  }

  return {
    partitions,
    get epoch() {
      return view.epoch
    },
    async start() {
      const problem = compressionProblem(options.compression ?? 'none')
      if (problem) throw new NowcastError('log_unavailable', problem)
      const { maxBatchBytes } = await inWords(() => openTopic(view, options))
      appender.limitBatches(maxBatchBytes)
      id = view.id
    },
    async stop() {
      fetcher.stop()
      view.close()
    },
    append: (batches) => appender.append(batches),
    async extent(partition) {
      checkPartition(partition)
      return inWords(() => offsets.extent(partition, FRESH_MS))
    },
    async read(partition, from): Promise<LogSlice | undefined> {
      checkPartition(partition)
      const block = await fetcher.read(partition, from)
      return block && { partition, ...block }
    },
    readIdentities,
    offsetAt: (partition, receivedAt) => {
      checkPartition(partition)
      return inWords(() => offsetAt(partition, receivedAt))
    },
    onAppend: fetcher.onArrival,
  }
}

/** What Kafka's errors are to the stages: the log cannot be had now. */
async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    throw new NowcastError('log_unavailable', `Kafka: ${error.message}`, {
      // The operator must act, and start again.
      retryable: !['TOPIC_SETTINGS', 'SASL_AUTHENTICATION_FAILED'].includes(error.type),
      retryAfterMs: 1000,
      cause: error,
    })
  }
}
