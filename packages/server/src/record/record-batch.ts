import type { Cell } from './cell.ts'

/** The event carries a revenue that is summed. */
export const HAS_REVENUE = 1
/** The offset holds no event: it stands in the batch only so that places and offsets stay in step. */
export const NO_EVENT = 2

/**
 * Events in the order of one log partition, column by column. Everything the consumers need stands outside the rows, so
 * that nobody parses a row again; each row is the JSON object that ClickHouse takes.
 */
export interface RecordBatch {
  count: number
  /** What each event is put into its partition by; empty once the batch was read from a log. */
  keys: readonly string[]
  /** 96-bit hash of (project, id): three words an event; 0 where there is none. */
  ids: Uint32Array
  /** Received time, epoch ms. */
  receivedAt: Float64Array
  /** Final event time, epoch ms. */
  time: Float64Array
  /** 64-bit hash of the user: low and high word an event. */
  users: Uint32Array
  /** 64-bit hash of the session: low and high word an event; both 0 without a session. */
  sessions: Uint32Array
  /** Revenue in the project's currency, in ten-thousandths: an integer. */
  revenue: Float64Array
  /** {@link HAS_REVENUE}, {@link NO_EVENT} or 0. */
  flags: Uint8Array
  /** Place of the event's cell in `cells`. */
  cell: Uint32Array
  cells: Cell[]
  /** The rows one after the other, UTF-8. */
  rows: Uint8Array
  /** Where each row ends in `rows`. */
  rowEnds: Uint32Array
}

/** Bytes a batch holds, near enough for bounds. */
export function batchBytes(batch: RecordBatch): number {
  return batch.rows.byteLength + batch.count * 64
}
