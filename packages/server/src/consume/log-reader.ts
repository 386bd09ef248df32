import type { EventLog, LogSlice } from '../ports/event-log.ts'
import { NO_EVENT } from '../record/record-batch.ts'
import { DuplicateWindow } from '../window/duplicate-window.ts'

/** The event repeats an earlier one. */
export const REPEAT = 1

export interface LogReaderOptions {
  partition: number
  /** Offsets a duplicate is looked for backwards (N). */
  duplicateOffsets: number
  /** Most time between an event and its duplicate (W), ms. */
  duplicateMs: number
}

/** Events `[from, to)` of a partition: those at `[first, last)` of the batch. */
export interface ReadSlice extends LogSlice {
  from: number
  to: number
  first: number
  last: number
  /** For each event of the batch {@link REPEAT}, {@link NO_EVENT} or 0: only the last is counted. */
  excluded: Uint8Array
}

/** Reads one partition in order and marks what is not counted. */
export interface LogReader {
  readonly position: number
  /** Offsets that were gone from the log before they could be read. */
  readonly cut: number
  readonly window: DuplicateWindow
  /** Goes to `offset`, with the duplicate window as it is there. */
  seek(offset: number): Promise<void>
  /** The next events, at most `most`; undefined at the end of the log. */
  next(most?: number): Promise<ReadSlice | undefined>
}

/** A reader for one partition; call `seek` first. */
export function createLogReader(log: EventLog, options: LogReaderOptions): LogReader {
  const { partition, duplicateOffsets, duplicateMs } = options
  const window = new DuplicateWindow(duplicateOffsets, duplicateMs)
  let positioned = false
  let cut = 0
  let current: LogSlice | undefined

  async function seek(offset: number): Promise<void> {
    // What the window knows at its position stays true: forwards, only what came since is read.
    const isNear = positioned && window.position <= offset && offset - window.position < duplicateOffsets
    if (!isNear) window.reset(Math.max(0, offset - duplicateOffsets))
    positioned = true
    for await (const chunk of log.readIdentities(partition, window.position, offset)) {
      if (chunk.offset !== window.position) window.reset(chunk.offset)
      for (let i = 0; i < chunk.receivedAt.length; i++) window.add(chunk.ids, i, chunk.receivedAt[i] as number)
    }
    if (window.position !== offset) window.reset(offset)
  }

  async function next(most = Number.POSITIVE_INFINITY): Promise<ReadSlice | undefined> {
    let from = window.position
    const slice = await blockAt(from)
    if (!slice) return undefined
    if (slice.offset > from) {
      // Retention has cut what was not read yet: go on behind the gap, with what is known of it.
      cut += slice.offset - from
      await seek(slice.offset)
      from = slice.offset
    }
    const { batch, offset } = slice
    const first = from - offset
    const last = Math.min(batch.count, first + most)
    const excluded = new Uint8Array(batch.count)
    for (let i = first; i < last; i++) {
      if (window.add(batch.ids, i, batch.receivedAt[i] as number)) {
        excluded[i] = (batch.flags[i] as number) & NO_EVENT || REPEAT
      }
    }
    return { ...slice, from, to: offset + last, first, last, excluded }
  }

  /** The block that holds `from`: the one read last, when it was not read to its end. */
  async function blockAt(from: number): Promise<LogSlice | undefined> {
    if (current && from >= current.offset && from < current.offset + current.batch.count) return current
    current = await log.read(partition, from)
    return current
  }

  return {
    get position() {
      return window.position
    },
    get cut() {
      return cut
    },
    window,
    seek,
    next,
  }
}
