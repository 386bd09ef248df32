import type { MinuteContent } from '../window/minute-content.ts'
import type { MinuteDelta, SecondDelta } from '../window/minute-delta.ts'
import type { ProjectWindows } from '../window/window-cube.ts'

/** What the events `[from, to)` of a partition of the log `epoch` add. */
export interface HotFlush {
  epoch: number
  partition: number
  from: number
  to: number
  minutes: MinuteDelta[]
  seconds: SecondDelta[]
  /** Minutes before this lack events that were gone from the log before they were read (epoch ms). */
  completeFrom?: number
  /** The partition counts as filled when its fence has reached this offset; as before when it is left out. */
  target?: number
}

/** What the rows `[from, to)` of a partition of windows say that were counted elsewhere. */
export interface HotSet {
  epoch: number
  partition: number
  from: number
  to: number
  /** What cells hold from now on; others keep what they have. */
  minutes: MinuteContent[]
  /** Events of a cell received in a second, from now on. */
  seconds: SecondDelta[]
  /** Minutes before this are not counted, or not whole (epoch ms). */
  completeFrom?: number
  /** The partition counts as filled when its fence has reached this offset; as before when it is left out. */
  target?: number
  /** Fences of other logs that the store has reached with this: those of the events that were counted. */
  reached?: readonly ReachedFence[]
}

export interface ReachedFence {
  epoch: number
  partition: number
  offset: number
}

/** Up to where a partition's events are in the store. */
export interface Fence {
  offset: number
  /**
   * Offsets above it, ascending, up to which parts of the store have taken events already: each flush must end at the
   * next one at the latest. None, except after a crash in a store of several parts.
   */
  cuts: readonly number[]
}

/** Where a partition begins that the store does not know. */
export interface Beginning {
  epoch: number
  partition: number
  offset: number
  /** Minutes from here on will hold all its events (epoch ms). */
  completeFrom: number
  /** The partition counts as filled when its fence has reached this offset. */
  target: number
}

/** Whether a flush was applied; if not, where the partition's fence stands. */
export type FlushAnswer = { applied: true } | { applied: false; fence: number | undefined }

/** The windows as they are now. */
export interface HotView {
  /**
   * Minutes from here on hold all their events (epoch ms); Infinity while the store is being filled. It may change
   * while the view is used: it falls when the store is full, and grows when minutes are given up for their age or for
   * want of memory.
   */
  completeSince: number
  /** Grows with each change. */
  revision: number
  projects: ReadonlyMap<string, ProjectWindows>
}

export interface ViewOptions {
  /**
   * The view may be this old (ms); where the store cannot be reached, nothing in it counts as complete. Without it, the
   * view holds every flush before the call, or the call fails.
   */
  maxAgeMs?: number
}

/** The last 24 hours in one-minute windows: Redis or memory. */
export interface HotStore {
  start(): Promise<void>
  stop(): Promise<void>
  /** Why the store cannot be used at present, and what to do; undefined when all is well. */
  readonly problem: string | undefined
  /** Where a partition stands; undefined while it is cold: nothing is known of it, or only of an earlier log. */
  fence(epoch: number, partition: number): Promise<Fence | undefined>
  /** Sets the fence of a cold partition; one that is not cold keeps its own. */
  begin(beginning: Beginning): Promise<void>
  /**
   * If the fence is `from`, adds everything and sets it to `to`; else changes nothing. Atomic; in a store of several parts
   * each part by itself.
   */
  flush(flush: HotFlush): Promise<FlushAnswer>
  /**
   * As {@link flush}, but what it names is replaced: minutes and seconds that are still kept, each cell by itself. A store
   * is either flushed to or set.
   */
  set(set: HotSet): Promise<FlushAnswer>
  /** The windows. @throws NowcastError `hot_store_unavailable` */
  view(options?: ViewOptions): Promise<HotView>
}
