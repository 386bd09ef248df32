import type { MinuteDelta, SecondDelta } from '../window/minute-delta.ts'
import type { ProjectWindows } from '../window/window-cube.ts'

/** What the events `[from, to)` of a partition add. */
export interface HotFlush {
  partition: number
  from: number
  to: number
  minutes: MinuteDelta[]
  seconds: SecondDelta[]
}

/** Whether a flush was applied; if not, where the partition's fence stands. */
export type FlushAnswer = { applied: true } | { applied: false; fence: number | undefined }

/** The windows as they are now. */
export interface HotView {
  /** Minutes from here on hold all their events (epoch ms); Infinity while the store is being filled. */
  completeSince: number
  /** Grows with each change. */
  revision: number
  projects: ReadonlyMap<string, ProjectWindows>
}

/** The last 24 hours in one-minute windows: Redis or memory. */
export interface HotStore {
  start(): Promise<void>
  stop(): Promise<void>
  /** Offset up to which a partition's events are in the store; undefined while it is cold. */
  fence(partition: number): Promise<number | undefined>
  /** Sets the fence of a cold partition; minutes from `completeFrom` on will hold all its events. */
  begin(partition: number, offset: number, completeFrom: number): Promise<void>
  /** In one atomic step: if the fence is `from`, adds everything and sets it to `to`; else changes nothing. */
  flush(flush: HotFlush): Promise<FlushAnswer>
  /** Says that a partition has been read up to where the log ended when its aggregator started. */
  caughtUp(partition: number): Promise<void>
  /** The windows, brought up to date. */
  view(): Promise<HotView>
}
