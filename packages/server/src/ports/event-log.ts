import type { RecordBatch } from '../record/record-batch.ts'

/** Events of one partition in their order, with the offset of the first. */
export interface LogSlice {
  partition: number
  /** Offset of the batch's first event; the others follow without a gap. */
  offset: number
  batch: RecordBatch
}

/** What the duplicate rule needs of the events `[offset, offset + receivedAt.length)`. */
export interface LogIdentities {
  offset: number
  /** Three words an event; 0 at an offset that holds none. */
  ids: Uint32Array
  receivedAt: Float64Array
}

/** Offsets of a partition. */
export interface LogExtent {
  /** First offset whose event can still be read. */
  start: number
  /** First offset whose identity can still be read; at most `start`. */
  identityStart: number
  /** Offset the next event will get. */
  end: number
}

/**
 * The durable, ordered record of all accepted events: Kafka's topic or an embedded log. The number of partitions never
 * changes.
 */
export interface EventLog {
  readonly partitions: number
  /** Tells this log from an earlier one that was deleted or replaced: a positive 32-bit integer. */
  readonly epoch: number
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * Appends one batch a partition (index = partition; undefined for none) and resolves when all are durable. Once it has
   * resolved, columns and rows of the batches are the caller's to write over; after a failure they are not.
   * @throws NowcastError `log_unavailable` when the outcome is unknown: the caller may append again.
   */
  append(batches: readonly (RecordBatch | undefined)[]): Promise<void>
  extent(partition: number): Promise<LogExtent>
  /**
   * The next run of events that holds `from`; undefined at the end of the log. It may begin before `from`, since events
   * are kept in blocks, or behind it, when the log was cut.
   */
  read(partition: number, from: number): Promise<LogSlice | undefined>
  /** Identities of `[from, to)` in order, in chunks; those no longer kept are left out. */
  readIdentities(partition: number, from: number, to: number): AsyncIterable<LogIdentities>
  /** First offset at or after which events were received at `receivedAt` or later, give or take a block. */
  offsetAt(partition: number, receivedAt: number): Promise<number>
  /** Calls back after events became readable; returns how to stop. */
  onAppend(callback: () => void): () => void
}
