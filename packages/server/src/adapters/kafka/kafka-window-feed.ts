import { setTimeout as sleep } from 'node:timers/promises'
import { NowcastError } from '../../errors.ts'
import type { WindowFeed, WindowSlice } from '../../ports/window-feed.ts'
import type { KafkaConnectionOptions } from './broker-link.ts'
import { type ForeignWindows, fetchWindows, leaderOf } from './fetch-windows.ts'
import { KafkaError, kafkaErrorOf } from './kafka-error.ts'
import { createTopicView } from './topic-view.ts'
import { openWindowsTopic } from './windows-topic.ts'
import { EARLIEST, listOffsetsRequest, readListedOffsets } from './wire/list-offsets.ts'

/** Longest time that a broker holds a fetch for new rows. */
const FOLLOW_MS = 500
const REQUEST_MS = 10_000
const RETRY_MS = 200
const PARTITION = 0
const GONE = ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID']
/** A job that goes on would not write again what it wrote into a topic that was deleted. */
const MAKE_ANEW =
  'was it deleted? Cancel the job in Flink, and start it anew, without a savepoint, with nowcast flink --gateway http://…, which makes the topic'

export interface KafkaWindowFeedOptions extends KafkaConnectionOptions {
  topic: string
  /** How long to wait for Kafka at the start, ms. @default 30000 */
  startTimeoutMs?: number
  onWarning?(message: string): void
  /** Told of records in the topic that are no rows. */
  onForeign?(records: ForeignWindows): void
}

/** The windows in a topic of one partition, read committed: what a transaction holds comes when it has been committed. */
export function createKafkaWindowFeed(options: KafkaWindowFeedOptions): WindowFeed {
  const { topic, onForeign } = options
  const view = createTopicView(topic, options)

  async function beginning(): Promise<number> {
    const answer = await view
      .link(leaderOf(view), 'ask')
      .send(listOffsetsRequest(topic, [PARTITION], EARLIEST), REQUEST_MS)
    const [listed] = readListedOffsets(answer)
    const error = kafkaErrorOf(listed?.errorCode ?? 0)
    if (error || !listed) throw error ?? new KafkaError('TIMEOUT', `${topic} does not say where it begins`)
    return listed.offset
  }

  async function read(from: number): Promise<WindowSlice> {
    try {
      const { foreign, ...slice } = await fetchWindows(view, from, FOLLOW_MS)
      if (foreign) onForeign?.(foreign)
      return slice
    } catch (error) {
      if ((error as KafkaError).type === 'OFFSET_OUT_OF_RANGE') return backIntoRange(from)
      throw error
    }
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
      throw new NowcastError('log_unavailable', `Kafka, topic ${topic}: ${words(error as KafkaError)}`, {
        retryable: (error as KafkaError).type !== 'TOPIC_SETTINGS',
        retryAfterMs: 1000,
        cause: error,
      })
    }
  }

  /** What to do is another thing than with the topic of events. */
  const words = ({ type, message }: KafkaError) => (GONE.includes(type) ? `it is not there: ${MAKE_ANEW}` : message)

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
