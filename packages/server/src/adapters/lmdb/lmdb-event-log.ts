import { randomInt } from 'node:crypto'
import { type Database, open, type RootDatabase } from 'lmdb'
import { NowcastError } from '../../errors.ts'
import type { EventLog, LogExtent, LogIdentities, LogSlice } from '../../ports/event-log.ts'
import type { Cell } from '../../record/cell.ts'
import type { RecordBatch } from '../../record/record-batch.ts'
import { decodeBatch, encodeBatch, viewBatch } from '../../record/record-codec.ts'
import { decodeIdentities, encodeIdentities, joinIdentities } from './identity-block.ts'
import { createTail, type Tail } from './tail.ts'

const FORMAT = 1
/** Events of a joined identity block. */
const COMPACT_EVENTS = 8192
/** Blocks that one transaction deletes. */
const TRIM_BLOCKS = 10_000

export interface LmdbEventLogOptions {
  /** Folder of the log; made if absent. */
  path: string
  /** Partitions of a new log; an existing one keeps its own. @default 4 */
  partitions?: number
  /** Bytes on disk at which appends are refused. @default 64 GiB */
  maxBytes?: number
  /** Bytes of just-appended events kept in memory per partition, for the consumers. @default 8 MiB */
  tailBytes?: number
}

/** An {@link EventLog} that can be trimmed, since nobody else does it. */
export interface LmdbEventLog extends EventLog {
  /** Deletes events below `eventsBelow` and identities below `identitiesBelow`; the newest block always stays. */
  trim(partition: number, eventsBelow: number, identitiesBelow: number): Promise<void>
  /** Bytes on disk of what the log holds. */
  usedBytes(): number
}

type BlockKey = [partition: number, offset: number]

interface PartitionState {
  end: number
  tail: Tail
}

/**
 * The embedded log: one LMDB environment with a block of events per append and partition (`events`), their identities
 * beside them (`identities`, which outlive the events for the duplicate window), and `meta`.
 */
export function createLmdbEventLog(options: LmdbEventLogOptions): LmdbEventLog {
  const { path, maxBytes = 64 * 1024 ** 3, tailBytes = 8 * 1024 * 1024 } = options
  let root: RootDatabase
  let events: Database<Buffer, BlockKey>
  let identities: Database<Buffer, BlockKey>
  let states: PartitionState[] = []
  let epoch = 0
  let failed = false
  /** The transaction under way: whether it became durable. */
  let writing = Promise.resolve(true)
  /** Identity blocks below these offsets are large already. */
  const compactedTo: number[] = []
  const listeners = new Set<() => void>()

  async function start(): Promise<void> {
    // Batching by event turns makes a promise that nobody can hear: a full disk would end the process.
    root = open({ path, maxDbs: 8, encoding: 'binary', noMemInit: true, commitDelay: 0, eventTurnBatching: false })
    const meta: Database<number, string> = root.openDB({ name: 'meta', encoding: 'ordered-binary' })
    events = root.openDB({ name: 'events', encoding: 'binary' })
    identities = root.openDB({ name: 'identities', encoding: 'binary' })
    const format = meta.get('format')
    if (format !== undefined && format > FORMAT) {
      await root.close()
      throw new NowcastError(
        'log_unavailable',
        `the event log in ${path} was written by a newer version of Nowcast (format ${format}, this one reads ${FORMAT}): upgrade, or choose another --data-dir`,
      )
    }
    if (format === undefined) {
      await transact(() => [
        meta.put('partitions', options.partitions ?? 4),
        meta.put('epoch', randomInt(1, 2 ** 31)),
        meta.put('format', FORMAT),
      ])
    }
    epoch = meta.get('epoch') as number
    const partitions = meta.get('partitions') as number
    states = Array.from({ length: partitions }, (_, p) => ({ end: storedEnd(p), tail: createTail(tailBytes) }))
  }

  /**
   * Makes changes in one transaction and resolves when it is durable. One after the other: `flushed` is that of the last
   * one begun, and never resolves when that fails.
   */
  function transact(change: () => Promise<boolean>[]): Promise<void> {
    const turn = writing.then(async () => {
      let parts: Promise<boolean>[] = []
      const committed = root.batch(() => {
        parts = change()
      })
      try {
        // Each of them fails when the transaction does: none may do so unheard.
        await Promise.all([committed, ...parts])
      } catch (error) {
        // The error that lmdb throws only says that another one follows.
        await (error as { commitError?: Promise<never> }).commitError
        throw error
      }
      await root.flushed
    })
    writing = turn.then(
      () => true,
      () => false,
    )
    return turn
  }

  function storedEnd(partition: number): number {
    for (const { key, value } of identities.getRange({
      start: [partition, Infinity],
      end: [partition, -1],
      reverse: true,
      limit: 1,
    })) {
      return key[1] + decodeIdentities(key[1], value).receivedAt.length
    }
    return 0
  }

  async function append(batches: readonly (RecordBatch | undefined)[]): Promise<void> {
    if (failed) recover()
    if (usedBytes() > maxBytes) {
      throw new NowcastError(
        'log_unavailable',
        `the event log holds ${maxBytes} bytes, its limit: is the archive keeping up?`,
        {
          retryable: true,
          retryAfterMs: 5000,
        },
      )
    }
    const written: { state: PartitionState; offset: number; block: Buffer; cells: Cell[] }[] = []
    try {
      await transact(() =>
        batches.flatMap((batch, p) => {
          const state = states[p]
          if (!batch || !state || batch.count === 0) return []
          const offset = state.end
          const block = encodeBatch(batch)
          written.push({ state, offset, block, cells: batch.cells })
          return [events.put([p, offset], block), identities.put([p, offset], encodeIdentities(batch))]
        }),
      )
    } catch (cause) {
      failed = true
      throw new NowcastError('log_unavailable', `the event log could not be written: ${(cause as Error).message}`, {
        retryable: true,
        retryAfterMs: 1000,
        cause,
      })
    }
    for (const { state, offset, block, cells } of written) {
      // The block and not the batch: it is as large as need be, and the batch's memory is its maker's again.
      const batch = viewBatch(block, cells)
      state.end = offset + batch.count
      state.tail.push(offset, batch)
    }
    for (const listener of listeners) listener()
  }

  /** After a failed append its outcome is unknown: look at what is there. */
  function recover(): void {
    for (const [p, state] of states.entries()) {
      const end = storedEnd(p)
      if (end !== state.end) state.tail.clear()
      state.end = end
    }
    failed = false
  }

  async function read(partition: number, from: number): Promise<LogSlice | undefined> {
    const state = stateOf(partition)
    if (from >= state.end) return undefined
    const recent = state.tail.find(from)
    if (recent) return { partition, ...recent }
    const at = { start: [partition, from] as BlockKey, limit: 1 }
    for (const { key, value } of events.getRange({ ...at, end: [partition, -1], reverse: true })) {
      const batch = decodeBatch(value)
      if (key[1] + batch.count > from) return { partition, offset: key[1], batch }
    }
    for (const { key, value } of events.getRange({ ...at, end: [partition, Infinity] })) {
      return { partition, offset: key[1], batch: decodeBatch(value) }
    }
    return undefined
  }

  async function* readIdentities(partition: number, from: number, to: number): AsyncGenerator<LogIdentities> {
    const before = [
      ...identities.getKeys({ start: [partition, from], end: [partition, -1], reverse: true, limit: 1 }),
    ][0]
    const start: BlockKey = before ?? [partition, from]
    for (const { key, value } of identities.getRange({ start, end: [partition, to] })) {
      const chunk = decodeIdentities(key[1], value)
      const skip = Math.max(0, from - chunk.offset)
      const end = Math.min(chunk.receivedAt.length, to - chunk.offset)
      if (end <= skip) continue
      yield {
        offset: chunk.offset + skip,
        ids: chunk.ids.subarray(skip * 3, end * 3),
        receivedAt: chunk.receivedAt.subarray(skip, end),
      }
    }
  }

  async function offsetAt(partition: number, receivedAt: number): Promise<number> {
    // Received times rise with the offsets: by halves, since an hour can be hundreds of thousands of blocks.
    let { identityStart: low, end: high } = await extent(partition)
    while (low < high) {
      const block = blockAt(partition, Math.floor((low + high) / 2))
      if (!block) break
      if ((block.receivedAt.at(-1) ?? 0) < receivedAt) low = block.offset + block.receivedAt.length
      else high = block.offset
    }
    return low
  }

  /** The identity block that holds an offset. */
  function blockAt(partition: number, offset: number): LogIdentities | undefined {
    const before = { start: [partition, offset] as BlockKey, end: [partition, -1] as BlockKey }
    for (const { key, value } of identities.getRange({ ...before, reverse: true, limit: 1 })) {
      return decodeIdentities(key[1], value)
    }
    return undefined
  }

  async function extent(partition: number): Promise<LogExtent> {
    const { end } = stateOf(partition)
    const first = (db: Database<Buffer, BlockKey>) =>
      [...db.getKeys({ start: [partition, 0], end: [partition, Infinity], limit: 1 })][0]?.[1] ?? end
    return { start: first(events), identityStart: first(identities), end }
  }

  async function trim(partition: number, eventsBelow: number, identitiesBelow: number): Promise<void> {
    const { end } = stateOf(partition)
    const keysOf = (db: Database<Buffer, BlockKey>, below: number) => {
      const last = Math.min(below, end) + 1
      const keys = [...db.getKeys({ start: [partition, 0], end: [partition, last], limit: TRIM_BLOCKS })]
      // A block may reach past `below`: it goes when the next one begins at or before it.
      return keys.filter((_, i) => (keys[i + 1]?.[1] ?? Infinity) <= below)
    }
    for (;;) {
      const oldEvents = keysOf(events, eventsBelow)
      const oldIdentities = keysOf(identities, Math.min(identitiesBelow, eventsBelow))
      if (oldEvents.length + oldIdentities.length === 0) break
      await transact(() => [
        ...oldEvents.map((key) => events.remove(key)),
        ...oldIdentities.map((key) => identities.remove(key)),
      ])
    }
    await compactIdentities(partition, eventsBelow)
  }

  /** Joins runs of small identity blocks below `below`, so that reading a day of them back takes no time. */
  async function compactIdentities(partition: number, below: number): Promise<void> {
    const from = compactedTo[partition] ?? 0
    const runs: LogIdentities[][] = [[]]
    let count = 0
    for (const { key, value } of identities.getRange({ start: [partition, from], end: [partition, below] })) {
      const block = decodeIdentities(key[1], value)
      runs.at(-1)?.push(block)
      count += block.receivedAt.length
      if (count < COMPACT_EVENTS) continue
      compactedTo[partition] = key[1] + 1
      runs.push([])
      count = 0
    }
    for (const run of runs) {
      if (run.length < 2) continue
      const joined = joinIdentities(run)
      await transact(() => [
        ...run.slice(1).map(({ offset }) => identities.remove([partition, offset])),
        identities.put([partition, joined.offset], encodeIdentities({ ...joined, count: joined.receivedAt.length })),
      ])
    }
  }

  function usedBytes(): number {
    return bytesOf(events) + bytesOf(identities)
  }

  function stateOf(partition: number): PartitionState {
    const state = states[partition]
    if (!state) throw new RangeError(`no partition ${partition}: the log has ${states.length}`)
    return state
  }

  return {
    get partitions() {
      return states.length
    },
    get epoch() {
      return epoch
    },
    start,
    async stop() {
      const isDurable = await writing
      const closed = root.close()
      // It would wait for ever for the flush of a transaction that failed.
      if (isDurable) await closed
    },
    append,
    extent,
    read,
    readIdentities,
    offsetAt,
    onAppend(callback) {
      listeners.add(callback)
      return () => listeners.delete(callback)
    },
    trim,
    usedBytes,
  }
}

/** Bytes of the pages that a database uses; pages that were freed are used again and do not count. */
function bytesOf(database: Database<Buffer, BlockKey>): number {
  const { pageSize, treeBranchPageCount, treeLeafPageCount, overflowPages } = database.getStats() as Record<
    string,
    number
  >
  return ((treeBranchPageCount ?? 0) + (treeLeafPageCount ?? 0) + (overflowPages ?? 0)) * (pageSize ?? 4096)
}
