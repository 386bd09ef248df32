import { setTimeout as sleep } from 'node:timers/promises'
import { NowcastError } from '../../errors.ts'
import type { RecordBatch } from '../../record/record-batch.ts'
import { KafkaError, kafkaErrorOf } from './kafka-error.ts'
import type { Compression } from './records/compression.ts'
import { createRecordEncoder } from './records/encode-records.ts'
import type { TopicView } from './topic-view.ts'
import { produceRequest, readProduced } from './wire/produce.ts'
import { within } from './within.ts'

/** Bytes of one partition's batch, and less where the topic takes less. */
const BATCH_BYTES = 900 * 1024
const BATCH_MARGIN = 1024
/** Bytes of one request, about. */
const REQUEST_BYTES = 8 * 1024 * 1024
/** How long to try at most when nobody could be reached before. */
const UNREACHABLE_MS = 1000
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1000

const TOO_LARGE = 'MESSAGE_TOO_LARGE'

/** Answers after which sending the same again cannot help. */
const FINAL = new Set([
  TOO_LARGE,
  'RECORD_LIST_TOO_LARGE',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_VERSION',
  'INVALID_RECORD',
  'POLICY_VIOLATION',
])

export interface RecordAppenderOptions {
  /** @default 'none' */
  compression?: Compression
  /** An append ends after this time, whatever happens. @default 6000 */
  appendTimeoutMs?: number
  /** One request ends after this time. @default 2500 */
  requestTimeoutMs?: number
}

/** Appends batches to the topic. */
export interface RecordAppender {
  /** Bytes of the largest batch that the topic takes. */
  limitBatches(maxBytes: number): void
  append(batches: readonly (RecordBatch | undefined)[]): Promise<void>
}

/** What is left to do for one partition. */
interface Pending {
  partition: number
  batch: RecordBatch
  /** Index of the first event that is not acknowledged. */
  from: number
  /** The records that are on their way, kept so that they can be sent again. */
  piece: { bytes: Buffer; to: number } | undefined
}

/**
 * An appender with `acks=all` and one request under way per broker. A request whose outcome is unknown is sent again:
 * if it had been written, the copies have the ids that were stamped and are taken out as repeats. What follows it in the
 * same partition waits, so that the first copies stand in their order.
 *
 * @param onEnd called with the offset behind what was written
 */
export function createRecordAppender(
  view: TopicView,
  options: RecordAppenderOptions,
  onEnd: (partition: number, end: number) => void,
): RecordAppender {
  const { appendTimeoutMs = 6000, requestTimeoutMs = 2500 } = options
  const encoder = createRecordEncoder(options.compression)
  let batchBytes = BATCH_BYTES
  /** Nobody could be reached the last time: requests are answered sooner then. */
  let isUnreachable = false
  let turn: Promise<unknown> = Promise.resolve()

  async function appendAll(batches: readonly (RecordBatch | undefined)[]): Promise<void> {
    const startedAt = performance.now()
    const deadline = startedAt + appendTimeoutMs
    let pending: Pending[] = []
    for (const [partition, batch] of batches.entries()) {
      if (batch && batch.count > 0) pending.push({ partition, batch, from: 0, piece: undefined })
    }
    let pause = 0
    while (pending.length > 0) {
      const failure = await sendRound(pending, deadline)
      pending = pending.filter(({ from, batch }) => from < batch.count)
      if (!failure) {
        isUnreachable = false
        pause = 0
        continue
      }
      if (failure.type === TOO_LARGE && makeSmaller(pending)) continue
      pause = Math.min(LONGEST_PAUSE_MS, pause * 2 || FIRST_PAUSE_MS)
      const patience = isUnreachable && failure.type === 'CONNECTION' ? UNREACHABLE_MS : appendTimeoutMs
      const isLate = performance.now() + pause >= Math.min(deadline, startedAt + patience)
      if (FINAL.has(failure.type) || isLate) {
        isUnreachable = failure.type === 'CONNECTION'
        throw unavailable(failure)
      }
      await sleep(pause)
      // The leaders may have moved; if that cannot be asked now, the next round says so.
      await within(Math.max(1, deadline - performance.now()), view.refresh(), () => failure).catch(() => {})
    }
  }

  /** The topic's limit was lowered while we run. @returns whether smaller batches are possible */
  function makeSmaller(pending: readonly Pending[]): boolean {
    const most = Math.max(...pending.map(({ piece, from }) => (piece ? piece.to - from : 0)))
    if (most <= 1) return false
    batchBytes = Math.max(1, Math.floor(batchBytes / 2))
    for (const one of pending) one.piece = undefined
    return true
  }

  /** Sends the next records of every partition, to all leaders at once. */
  async function sendRound(pending: readonly Pending[], deadline: number): Promise<KafkaError | undefined> {
    let groups: ReturnType<TopicView['byLeader']>
    try {
      groups = view.byLeader(pending.map(({ partition }) => partition))
    } catch (error) {
      return error as KafkaError
    }
    const ofPartition = new Map(pending.map((one) => [one.partition, one]))
    const sent = Array.from(groups.leaders, ([leader, partitions]) =>
      sendTo(
        leader,
        partitions.map((partition) => ofPartition.get(partition) as Pending),
        deadline,
      ),
    )
    const failures = (await Promise.all(sent)).filter((failure) => failure !== undefined)
    return failures.find(({ type }) => FINAL.has(type)) ?? failures[0] ?? groups.problem
  }

  async function sendTo(leader: number, all: Pending[], deadline: number): Promise<KafkaError | undefined> {
    const chosen: Pending[] = []
    let bytes = 0
    for (const one of all) {
      one.piece ??= await encoder.encode(one.batch, one.from, batchBytes)
      chosen.push(one)
      bytes += one.piece.bytes.byteLength
      if (bytes >= REQUEST_BYTES) break
    }
    const timeoutMs = Math.max(1, Math.min(requestTimeoutMs, deadline - performance.now()))
    try {
      const request = produceRequest(
        view.topic,
        chosen.map(({ partition, piece }) => ({ partition, bytes: (piece as { bytes: Buffer }).bytes })),
        Math.round(timeoutMs),
      )
      const answers = readProduced(await view.link(leader, 'append').send(request, timeoutMs))
      let failure: KafkaError | undefined
      for (const { partition, errorCode, offset, message } of answers) {
        const one = chosen.find((candidate) => candidate.partition === partition)
        if (!one?.piece) continue
        const error = kafkaErrorOf(errorCode)
        if (error) {
          failure ??= message ? new KafkaError(error.type, `${error.message}: ${message}`) : error
          continue
        }
        onEnd(partition, offset + one.piece.to - one.from)
        one.from = one.piece.to
        // Only now: what was not answered may still be on its way out.
        encoder.release(one.piece.bytes)
        one.piece = undefined
      }
      if (!failure && chosen.some(({ piece }) => piece)) {
        failure = new KafkaError('UNKNOWN', 'Kafka answered without a word on some of the events')
      }
      return failure
    } catch (error) {
      return error instanceof KafkaError ? error : new KafkaError('CONNECTION', (error as Error).message, error)
    }
  }

  function unavailable(cause: KafkaError): NowcastError {
    return new NowcastError('log_unavailable', `Kafka has not taken the events: ${cause.message}`, {
      retryable: true,
      retryAfterMs: 1000,
      cause,
    })
  }

  return {
    limitBatches(maxBytes) {
      batchBytes = Math.min(BATCH_BYTES, maxBytes - BATCH_MARGIN)
    },
    append(batches) {
      const appended = turn.then(() => appendAll(batches))
      turn = appended.catch(() => {})
      return appended
    },
  }
}
