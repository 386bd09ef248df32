import { setTimeout as sleep } from 'node:timers/promises'
import { NowcastError } from '../../errors.ts'
import type { WindowFeed, WindowRow, WindowSlice } from '../../ports/window-feed.ts'
import type { KafkaConnectionOptions } from './broker-link.ts'
import { KafkaError, kafkaErrorOf } from './kafka-error.ts'
import { committedRecords } from './records/committed-records.ts'
import { toWindowRow } from './records/window-row.ts'
import { createTopicView } from './topic-view.ts'
import { openWindowsTopic } from './windows-topic.ts'
import { fetchRequest, readFetched } from './wire/fetch.ts'
import { EARLIEST, listOffsetsRequest, readListedOffsets } from './wire/list-offsets.ts'

/** Longest time that a broker holds a fetch for new rows. */
const FOLLOW_MS = 500
const REQUEST_MS = 10_000
const FETCH_BYTES = 8 * 1024 * 1024
const RETRY_MS = 200
const PARTITION = 0

export interface KafkaWindowFeedOptions extends KafkaConnectionOptions {
  topic: string
  /** How long to wait for Kafka at the start, ms. @default 30000 */
  startTimeoutMs?: number
  onWarning?(message: string): void
  /** Told of records in the topic that are no rows. */
  onForeign?(records: { offset: number; count: number; reason: string }): void
}

/** The windows in a topic of one partition, read committed: what a transaction holds comes when it has been committed. */
export function createKafkaWindowFeed(options: KafkaWindowFeedOptions): WindowFeed {
  const { topic, onForeign } = options
  const view = createTopicView(topic, options)

  /** The broker that leads the topic. */
  function leader(): number {
    const { leaders, problem } = view.byLeader([PARTITION])
    if (problem) throw problem
    return [...leaders.keys()][0] as number
  }

  async function beginning(): Promise<number> {
    const answer = await view.link(leader(), 'ask').send(listOffsetsRequest(topic, [PARTITION], EARLIEST), REQUEST_MS)
    const [listed] = readListedOffsets(answer)
    const error = kafkaErrorOf(listed?.errorCode ?? 0)
    if (error || !listed) throw error ?? new KafkaError('TIMEOUT', `${topic} does not say where it begins`)
    return listed.offset
  }

  async function read(from: number): Promise<WindowSlice> {
    const request = fetchRequest({
      topicId: view.id,
      partitions: [{ partition: PARTITION, offset: from }],
      maxWaitMs: FOLLOW_MS,
      maxBytes: FETCH_BYTES,
      partitionMaxBytes: FETCH_BYTES,
      isCommitted: true,
    })
    const link = view.link(leader(), 'follow')
    const answer = await link.send(request, REQUEST_MS + FOLLOW_MS)
    const { errorCode, partitions } = readFetched(answer)
    const [fetched] = partitions
    const error = kafkaErrorOf(errorCode || (fetched?.errorCode ?? 0))
    if (error?.type === 'OFFSET_OUT_OF_RANGE') return backIntoRange(from)
    if (error) throw error
    if (!fetched) throw new KafkaError('TIMEOUT', `a broker answered without a word on ${topic}`)
    const { records, next } = committedRecords(fetched.records, from, fetched.aborted)
    const rows = rowsOf(records)
    // Rows hold copies of what they need of it.
    link.release(answer)
    return { to: next, rows, isWhole: next >= fetched.lastStable }
  }

  function rowsOf(records: ReturnType<typeof committedRecords>['records']): WindowRow[] {
    const rows: WindowRow[] = []
    let foreign: { offset: number; count: number; reason: string } | undefined
    for (const record of records) {
      try {
        rows.push({ ...toWindowRow(record), offset: record.offset })
      } catch (error) {
        foreign ??= { offset: record.offset, count: 0, reason: (error as Error).message }
        foreign.count++
      }
    }
    if (foreign) onForeign?.(foreign)
    return rows
  }

  /** Rows that are older than the topic keeps say nothing of minutes that the hot store keeps. */
  async function backIntoRange(from: number): Promise<WindowSlice> {
    const start = await beginning()
    if (from < start) return { to: start, rows: [], isWhole: false }
    throw new NowcastError(
      'log_unavailable',
      `the topic ${topic} ends before offset ${from}, up to which it was read: the brokers have lost rows that they had acknowledged; start the job anew into a new topic`,
      { retryable: true, retryAfterMs: 5000 },
    )
  }

  /** Tells the stages why, and looks who leads the topic now. */
  async function inWords<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof NowcastError) throw error
      await sleep(RETRY_MS)
      await view.refresh().catch(() => {})
      throw new NowcastError('log_unavailable', `Kafka, topic ${topic}: ${(error as Error).message}`, {
        retryable: (error as KafkaError).type !== 'TOPIC_SETTINGS',
        retryAfterMs: 1000,
        cause: error,
      })
    }
  }

  return {
    name: topic,
    get epoch() {
      return view.epoch
    },
    start: () => inWords(() => openWindowsTopic(view, options)),
    async stop() {
      view.close()
    },
    beginning: () => inWords(beginning),
    read: (from) => inWords(() => read(from)),
  }
}
