import { setTimeout as sleep } from 'node:timers/promises'
import { NowcastError } from '../../errors.ts'
import { KafkaError, kafkaErrorOf } from './kafka-error.ts'
import { decodeRecords, type ForeignRecords } from './records/decode-records.ts'
import { type Block, RunOfBlocks } from './run-of-blocks.ts'
import type { TopicOffsets } from './topic-offsets.ts'
import type { TopicView } from './topic-view.ts'
import { type FetchedPartition, fetchRequest, readFetched } from './wire/fetch.ts'

/** Longest time that a broker holds a fetch for new records. */
const FOLLOW_MS = 500
/** Rest between two fetches that follow the end, so that they bring more at a time. */
const REST_MS = 20
const REQUEST_MS = 5000
const PARTITION_BYTES = 1024 * 1024
const RESPONSE_BYTES = 8 * 1024 * 1024
/** A run is fetched ahead while fewer bytes than these are unread. */
const AHEAD_BYTES = 1024 * 1024
/** Read blocks that are kept for a slower reader. */
const KEEP_BYTES = 2 * 1024 * 1024
/** A run that nobody reads is not fetched after a while, and forgotten later. */
const IDLE_MS = 5000
const FORGET_MS = 30_000
const MOST_RUNS = 3
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1000

export interface RecordFetcherOptions {
  /** A read that brings nothing fails after this time. @default 5000 */
  readTimeoutMs?: number
  onForeign?(partition: number, records: ForeignRecords): void
}

/** Reads partitions ahead of whoever reads them. */
export interface RecordFetcher {
  /** The block that holds `from`, or the first one behind it; undefined at the end of the log. */
  read(partition: number, from: number): Promise<Block | undefined>
  onArrival(callback: () => void): () => void
  /** To be called when events were appended from here: somebody may listen before anybody has read. */
  noteAppend(partition: number): void
  /** To be called when the topic has become another one. */
  reset(): void
  stop(): void
}

/**
 * One fetch per broker follows the ends of all partitions (`follow`), another brings what readers behind them ask for
 * (`catch-up`). Readers that are at the same place share what was fetched and decoded.
 */
export function createRecordFetcher(
  view: TopicView,
  offsets: TopicOffsets,
  options: RecordFetcherOptions,
): RecordFetcher {
  const { readTimeoutMs = 5000, onForeign } = options
  const runsOf = new Map<number, RunOfBlocks[]>()
  const listeners = new Set<() => void>()
  /** Fetches under way, by purpose and broker. */
  const underWay = new Set<string>()
  let lastFailure: Error | undefined
  let pauseMs = 0
  let isLooking = false
  let isStopped = false
  let rounds = 0

  async function read(partition: number, from: number): Promise<Block | undefined> {
    const deadline = performance.now() + readTimeoutMs
    let at = from
    for (;;) {
      if (isStopped) throw unavailable(new Error('the log was closed'))
      const run = runAt(partition, at)
      const block = run.take(at)
      const end = offsets.knownEnd(partition)
      if (block || (end !== undefined && at >= end && run.endSeen >= 0)) {
        fetchMore()
        return block
      }
      await arrival(run, deadline)
      // What stood before was cut.
      if (run.base > at) at = run.base
    }
  }

  /** The run that has `from` or comes to it next; a new one where there is none. */
  function runAt(partition: number, from: number): RunOfBlocks {
    const runs = runsOf.get(partition) ?? []
    runsOf.set(partition, runs)
    let run = runs.find((one) => one.next === from || one.take(from) !== undefined)
    if (!run) {
      run = new RunOfBlocks(partition, from)
      runs.push(run)
      const idle = runs.filter((one) => one !== run && one.waiting.size === 0)
      if (runs.length > MOST_RUNS && idle.length > 0) {
        const oldest = idle.reduce((a, b) => (a.usedAt < b.usedAt ? a : b))
        runs.splice(runs.indexOf(oldest), 1)
      }
    }
    run.usedAt = performance.now()
    return run
  }

  /** Resolves when a fetch of the run has brought something, records or news. */
  function arrival(run: RunOfBlocks, deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        run.waiting.delete(waiting)
      }
      const waiting = {
        settle: () => {
          end()
          resolve()
        },
        fail: (error: Error) => {
          end()
          reject(error)
        },
      }
      const tooLate = () => {
        waiting.fail(unavailable(lastFailure ?? new Error(`nothing came within ${readTimeoutMs} ms`)))
        // The log may end earlier than it was said to.
        offsets.ask(run.partition).catch(() => {})
      }
      const timer = setTimeout(tooLate, Math.max(0, deadline - performance.now()))
      run.waiting.add(waiting)
      fetchMore()
    })
  }

  /** Starts the fetches that are wanted and not under way. */
  function fetchMore(): void {
    if (isStopped) return
    for (const [purpose, runs] of wantedRuns()) {
      let leaders: Map<number, number[]>
      try {
        const groups = view.byLeader([...runs.keys()])
        if (groups.leaders.size === 0 && groups.problem) throw groups.problem
        leaders = groups.leaders
        // The others go on meanwhile.
        if (groups.problem) lookForLeaders(groups.problem)
      } catch (error) {
        lookForLeaders(error as Error)
        return
      }
      for (const [leader, partitions] of leaders) {
        const name = `${purpose} ${leader}`
        if (underWay.has(name)) continue
        underWay.add(name)
        // In turns: only the first partition of a request is given whole however large its batch is.
        const first = rounds++ % partitions.length
        const inTurn = [...partitions.slice(first), ...partitions.slice(0, first)]
        const ofLeader = inTurn.map((partition) => runs.get(partition) as RunOfBlocks)
        void fetchFrom(leader, purpose, ofLeader).finally(() => {
          underWay.delete(name)
          fetchMore()
        })
      }
    }
  }

  function lookForLeaders(problem: Error): void {
    if (isLooking) return
    isLooking = true
    void recover(problem).finally(() => {
      isLooking = false
      fetchMore()
    })
  }

  /** One run a partition and purpose: a request may name a partition only once. */
  function wantedRuns(): Map<'catch-up' | 'follow', Map<number, RunOfBlocks>> {
    const now = performance.now()
    const wanted = new Map<'catch-up' | 'follow', Map<number, RunOfBlocks>>()
    for (const [partition, runs] of runsOf) {
      const kept = runs.filter((run) => now - run.usedAt < FORGET_MS || run.isFetching || run.waiting.size > 0)
      if (kept.length < runs.length) runsOf.set(partition, kept)
      for (const run of kept) {
        if (run.isFetching || run.unread >= AHEAD_BYTES) continue
        if (now - run.usedAt > IDLE_MS && run.waiting.size === 0) continue
        const purpose = run.waiting.size > 0 || run.next < run.endSeen ? 'catch-up' : 'follow'
        const ofPurpose = wanted.get(purpose) ?? new Map<number, RunOfBlocks>()
        wanted.set(purpose, ofPurpose)
        if (!ofPurpose.has(partition)) ofPurpose.set(partition, run)
      }
    }
    return wanted
  }

  async function fetchFrom(leader: number, purpose: 'catch-up' | 'follow', runs: RunOfBlocks[]) {
    for (const run of runs) run.isFetching = true
    const release = () => {
      for (const run of runs) run.isFetching = false
    }
    const { id } = view
    let arrived: boolean
    try {
      const maxWaitMs = purpose === 'follow' ? FOLLOW_MS : 0
      const request = fetchRequest({
        topicId: id,
        partitions: runs.map(({ partition, next }) => ({ partition, offset: next })),
        maxWaitMs,
        maxBytes: RESPONSE_BYTES,
        partitionMaxBytes: PARTITION_BYTES,
      })
      const link = view.link(leader, purpose)
      const answer = await link.send(request, REQUEST_MS + maxWaitMs)
      const { errorCode, partitions } = readFetched(answer)
      const error = kafkaErrorOf(errorCode)
      if (error) throw error
      // Meanwhile another topic may have taken the name.
      if (!view.id.equals(id)) return release()
      arrived = await takeIn(runs, partitions)
      // Blocks are copies of what they need of it.
      link.release(answer)
    } catch (error) {
      await recover(error as Error)
      return release()
    }
    pauseMs = 0
    lastFailure = undefined
    release()
    // Nothing arrived although somebody waits: the broker needs a moment to show what it has acknowledged.
    if (purpose === 'follow' ? arrived : !arrived) await sleep(REST_MS)
  }

  /** @returns whether records came @throws KafkaError what was wrong with one of the partitions */
  async function takeIn(runs: RunOfBlocks[], fetched: FetchedPartition[]): Promise<boolean> {
    let failure: Error | undefined
    let arrived = false
    for (const { partition, errorCode, highWatermark, logStart, records } of fetched) {
      const run = runs.find((one) => one.partition === partition)
      if (!run) continue
      const error = kafkaErrorOf(errorCode)
      if (error?.type === 'OFFSET_OUT_OF_RANGE') {
        await goBackIntoRange(run)
      } else if (error) {
        failure ??= error
        continue
      } else {
        offsets.note(partition, logStart, highWatermark)
        run.endSeen = highWatermark
        const decoded = records.byteLength > 0 ? decodeRecords(records, run.next) : undefined
        if (decoded) {
          run.push(decoded, KEEP_BYTES)
          arrived = true
          if (decoded.foreign) onForeign?.(partition, decoded.foreign)
        }
      }
      for (const waiting of [...run.waiting]) waiting.settle()
    }
    if (arrived) for (const listener of listeners) listener()
    if (failure) throw failure
    return arrived
  }

  async function goBackIntoRange(run: RunOfBlocks): Promise<void> {
    const { start, end } = await offsets.ask(run.partition)
    run.endSeen = end
    if (run.next < start) return run.skipTo(start)
    if (run.next <= end) return
    const error = new NowcastError(
      'log_unavailable',
      `partition ${run.partition} of ${view.topic} ends at offset ${end}, but was read up to ${run.next}: the brokers have lost records that they had acknowledged`,
      { retryable: true, retryAfterMs: 5000 },
    )
    // Forgotten, so that the next read finds it out again.
    runsOf.set(
      run.partition,
      (runsOf.get(run.partition) ?? []).filter((one) => one !== run),
    )
    for (const waiting of [...run.waiting]) waiting.fail(error)
  }

  async function recover(error: Error): Promise<void> {
    lastFailure = error
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2 || FIRST_PAUSE_MS)
    await sleep(pauseMs)
    if (!isStopped) await view.refresh().catch((failure) => (lastFailure = failure))
  }

  function unavailable(cause: Error): NowcastError {
    if (cause instanceof NowcastError) return cause
    const words = cause instanceof KafkaError ? cause.message : `Kafka cannot be read: ${cause.message}`
    return new NowcastError('log_unavailable', words, { retryable: true, retryAfterMs: 1000, cause })
  }

  function failAll(error: Error): void {
    for (const runs of runsOf.values()) {
      for (const run of runs) for (const waiting of [...run.waiting]) waiting.fail(error)
    }
    runsOf.clear()
  }

  return {
    read,
    noteAppend(partition) {
      const isFollowed = runsOf.get(partition)?.some((run) => performance.now() - run.usedAt < IDLE_MS)
      if (!isFollowed) for (const listener of listeners) listener()
    },
    onArrival(callback) {
      listeners.add(callback)
      return () => listeners.delete(callback)
    },
    reset: () =>
      failAll(
        new NowcastError('log_unavailable', `the topic ${view.topic} was deleted and made anew: reading starts over`, {
          retryable: true,
        }),
      ),
    stop() {
      isStopped = true
      failAll(unavailable(new Error('the log was closed')))
    },
  }
}
