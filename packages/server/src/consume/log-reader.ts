import { NowcastError } from '../errors.ts'
import type { EventLog, LogSlice } from '../ports/event-log.ts'
import { NO_EVENT } from '../record/record-batch.ts'
import { DuplicateWindow } from '../window/duplicate-window.ts'
import { giveWay } from './give-way.ts'

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
  /**
   * Goes to `offset`, with the duplicate window as it is there.
   * @param epoch of the log that `offset` belongs to; by default the one that is there now
   */
  seek(offset: number, epoch?: number): Promise<void>
  /**
   * Goes forwards without reading events, over such as are gone, or known.
   * @param isKnown whether the event at an offset is known; none by default
   * @returns how many of them are neither known nor repeats; those whose identities the log has no more are among them
   */
  passOver(offset: number, isKnown?: (offset: number) => boolean): Promise<number>
  /**
   * The next events, at most `most`; undefined at the end of the log.
   * @throws NowcastError `log_unavailable` when another log has taken the place of the one that was sought in
   */
  next(most?: number): Promise<ReadSlice | undefined>
}

/** A reader for one partition; call `seek` first. */
export function createLogReader(log: EventLog, options: LogReaderOptions): LogReader {
  const { partition, duplicateOffsets, duplicateMs } = options
  const window = new DuplicateWindow(duplicateOffsets, duplicateMs)
  let epochHere: number | undefined
  let cut = 0
  let current: LogSlice | undefined

  async function seek(offset: number, epoch = log.epoch): Promise<void> {
    // What the window knows at its position stays true: forwards, only what came since is read.
    const isNear = epochHere === epoch && window.position <= offset && offset - window.position < duplicateOffsets
    if (!isNear) {
      const { identityStart, end } = await log.extent(partition)
      const from = Math.min(offset, Math.max(identityStart, offset - duplicateOffsets))
      window.reset(from, end - from)
      current = undefined
    }
    epochHere = epoch
    try {
      await passOver(offset)
    } catch (error) {
      // A window that was filled half way knows too little for an offset before this one.
      epochHere = undefined
      throw error
    }
  }

  async function passOver(offset: number, isKnown?: (offset: number) => boolean): Promise<number> {
    let events = offset - window.position
    for await (const chunk of log.readIdentities(partition, window.position, offset)) {
      const { ids, receivedAt } = chunk
      const count = receivedAt.length
      if (chunk.offset !== window.position) window.reset(chunk.offset)
      const repeats = isKnown && new Uint8Array(count)
      events -= window.add(ids, receivedAt, 0, count, repeats)
      if (repeats) for (let i = 0; i < count; i++) if (!repeats[i] && isKnown(chunk.offset + i)) events--
      await giveWay()
    }
    if (window.position !== offset) window.reset(offset)
    checkEpoch()
    return events
  }

  /** Offsets mean nothing in another log. */
  function checkEpoch(): void {
    if (log.epoch === epochHere) return
    throw new NowcastError('log_unavailable', 'the log was deleted and made anew: reading starts over', {
      retryable: true,
    })
  }

  async function next(most = Number.POSITIVE_INFINITY): Promise<ReadSlice | undefined> {
    await giveWay()
    let from = window.position
    checkEpoch()
    const slice = await blockAt(from)
    checkEpoch()
    if (!slice) {
      await skipCut(from)
      return undefined
    }
    if (slice.offset > from) {
      // Retention has cut what was not read yet: go on behind the gap, with what is known of it.
      cut += slice.offset - from
      await seek(slice.offset, epochHere)
      from = slice.offset
    }
    const { batch, offset } = slice
    const first = from - offset
    const last = Math.min(batch.count, first + most)
    const excluded = new Uint8Array(batch.count)
    window.add(batch.ids, batch.receivedAt, first, last, excluded)
    for (let i = first; i < last; i++) if (excluded[i]) excluded[i] = (batch.flags[i] as number) & NO_EVENT || REPEAT
    return { ...slice, from, to: offset + last, first, last, excluded }
  }

  /** Where all that was left has been cut, nothing comes that would show it. */
  async function skipCut(from: number): Promise<void> {
    const { start } = await log.extent(partition)
    if (start <= from) return
    cut += start - from
    await seek(start, epochHere)
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
    passOver,
    next,
  }
}
