import { setTimeout as sleep } from 'node:timers/promises'
import { NowcastError } from '../../errors.ts'
import type { PlacedRow, RowPlace, UniqueRows } from '../../ports/unique-rows.ts'
import type { KafkaConnectionOptions } from './broker-link.ts'
import { KafkaError, kafkaErrorOf } from './kafka-error.ts'
import { committedRecords } from './records/committed-records.ts'
import { createTopicOffsets } from './topic-offsets.ts'
import { createTopicView } from './topic-view.ts'
import { createTransactionWriter, type TransactionWriter } from './transaction-writer.ts'
import { openUniqueTopic } from './unique-topic.ts'
import { fetchRequest, readFetched } from './wire/fetch.ts'

const REQUEST_MS = 10_000
const FETCH_BYTES = 4 * 1024 * 1024
const RETRY_MS = 200
/** How many offsets before the end the last row is looked for at first: markers of transactions stand there too. */
const FIRST_LOOK = 64
const LATER_LOOK = 16

export interface KafkaUniqueRowsOptions extends KafkaConnectionOptions {
  topic: string
  /** Those of the log. */
  partitions: number
  /** How long a topic that we make keeps rows, ms. */
  retentionMs: number
  /** How long to wait for Kafka at the start, ms. @default 30000 */
  startTimeoutMs?: number
  onWarning?(message: string): void
}

/** One partition as far as this process writes it. */
interface Held {
  writer: TransactionWriter
  /** Undefined until the name was taken, and after anything went wrong. */
  last: { place: RowPlace | undefined } | undefined
}

/**
 * Rows in a topic of Kafka, each once. The key of a record is its place in the log, so that the end of the topic says
 * where to go on; who writes takes the partition's transactional name first, so that this end stays as it is.
 */
export function createKafkaUniqueRows(options: KafkaUniqueRowsOptions): UniqueRows {
  const { topic, partitions } = options
  const view = createTopicView(topic, options)
  const offsets = createTopicOffsets(view)
  const held: Held[] = []

  async function fetch(partition: number, offset: number) {
    const { leaders, problem } = view.byLeader([partition])
    if (problem) throw problem
    const request = fetchRequest({
      ...{ topicId: view.id, partitions: [{ partition, offset }], isCommitted: true },
      ...{ maxWaitMs: 0, maxBytes: FETCH_BYTES, partitionMaxBytes: FETCH_BYTES },
    })
    const link = view.link([...leaders.keys()][0] as number, 'follow')
    const { errorCode, partitions: answered } = readFetched(await link.send(request, REQUEST_MS))
    const [fetched] = answered
    const error = kafkaErrorOf(errorCode || (fetched?.errorCode ?? 0))
    if (error || !fetched) throw error ?? new KafkaError('TIMEOUT', `a broker answered without a word on ${topic}`)
    return { ...committedRecords(fetched.records, offset, fetched.aborted), lastStable: fetched.lastStable }
  }

  /** Reads the end, from further and further before it until there is a row. */
  async function lastOf(partition: number): Promise<RowPlace | undefined> {
    const { start, end } = await offsets.ask(partition)
    for (let look = FIRST_LOOK; ; look *= LATER_LOOK) {
      const from = Math.max(start, end - look)
      let place: RowPlace | undefined
      for (let at = from; ; ) {
        const { records, next, lastStable } = await fetch(partition, at)
        const key = records.at(-1)?.key
        if (key) place = placeOf(key)
        if (next >= lastStable || next === at) break
        at = next
      }
      if (place || from === start) return place
    }
  }

  function holding(partition: number): Held {
    held[partition] ??= { writer: createTransactionWriter(view, partition), last: undefined }
    return held[partition]
  }

  async function append(partition: number, rows: readonly PlacedRow[]): Promise<void> {
    const one = holding(partition)
    let { last } = one
    one.last = undefined
    if (!last) {
      await one.writer.take()
      last = { place: await lastOf(partition) }
    }
    const { place } = last
    const isNew = ({ epoch, offset }: PlacedRow) => place?.epoch !== epoch || offset > place.offset
    const fresh = rows.filter(isNew)
    const end = fresh.at(-1)
    if (end) await one.writer.write(fresh.map((row) => ({ key: keyOf(row), value: row.value })))
    one.last = { place: end ? { epoch: end.epoch, offset: end.offset, receivedAt: end.receivedAt } : place }
  }

  /** Tells the stages why, and looks who leads the topic now. */
  async function inWords<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
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
    start: () => inWords(() => openUniqueTopic(view, options)),
    async stop() {
      view.close()
    },
    last: () => inWords(() => Promise.all(Array.from({ length: partitions }, (_, partition) => lastOf(partition)))),
    append: (partition, rows) => inWords(() => append(partition, rows)),
  }
}

const keyOf = ({ epoch, offset, receivedAt }: RowPlace) => Buffer.from(`${epoch}:${offset}:${receivedAt}`)

/** @throws KafkaError for a key that is not ours */
function placeOf(key: Buffer): RowPlace {
  const text = key.toString('latin1')
  if (!/^\d+:\d+:\d+$/.test(text)) {
    throw new KafkaError('TOPIC_SETTINGS', 'it holds records that Nowcast did not write: choose another uniqueTopic')
  }
  const [epoch, offset, receivedAt] = text.split(':').map(Number) as [number, number, number]
  return { epoch, offset, receivedAt }
}
