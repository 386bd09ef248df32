import type { MinuteWindow } from '../window/minute-window.ts'
import { MINUTE_MS, type ProjectWindows } from '../window/window-cube.ts'
import type { CellSelection } from './cell-selection.ts'
import { DistinctCounts } from './distinct-counts.ts'
import type { SketchKind } from './group-sketches.ts'
import { GroupSums, type PackedSums } from './minute-sums.ts'

/** Of an entry beside its sums. */
const ENTRY_BYTES = 200
/** Keys of a breakdown that come and go in years of watching must not pile up. */
const MOST_KEYS = 100_000

const scratch = new GroupSums()

/**
 * What minutes hold for one selection of cells, kept for whoever asks next. A minute's sums and sketches are computed
 * when they are first asked for, and again when the minute has changed: its revision says so, and is never used twice.
 */
export class MinuteResults {
  readonly selection: CellSelection
  private readonly sumsByMinute = new Map<number, { revision: number; sums: PackedSums }>()
  private readonly distinct: DistinctCounts
  private sumsBytes = 0

  constructor(selection: CellSelection) {
    this.selection = selection
    this.distinct = new DistinctCounts(selection)
  }

  /** Bytes that are kept, about. */
  get byteLength(): number {
    return this.sumsBytes + this.distinct.byteLength + this.selection.byteLength
  }

  /** Takes in new cells and forgets minutes that are gone; to be called before reading, without a pause in between. */
  update(windows: ProjectWindows | undefined): void {
    if (this.selection.keys.length > MOST_KEYS) this.clear()
    if (windows) this.selection.update(windows.dictionary)
    for (const minute of this.sumsByMinute.keys()) if (!windows?.minutes.has(minute)) this.forget(minute)
    this.distinct.update(windows)
  }

  /** Adds the minutes `[from, to)` to `sums`. */
  addSums(windows: ProjectWindows | undefined, from: number, to: number, sums: GroupSums): void {
    for (let minute = from; minute < to; minute += MINUTE_MS) {
      const window = windows?.minutes.get(minute)
      if (window) sums.add(this.sumsOf(window, minute))
    }
  }

  /** Distinct elements of the minutes `[from, to)` by group. */
  count(windows: ProjectWindows | undefined, kind: SketchKind, from: number, to: number): ReadonlyMap<number, number> {
    return this.distinct.count(windows, kind, from, to)
  }

  private sumsOf(window: MinuteWindow, minute: number): PackedSums {
    const found = this.sumsByMinute.get(minute)
    if (found?.revision === window.revision) return found.sums
    scratch.clear()
    scratch.addWindow(window, this.selection)
    const sums = scratch.pack()
    this.forget(minute)
    this.sumsByMinute.set(minute, { revision: window.revision, sums })
    this.sumsBytes += ENTRY_BYTES + sums.byteLength
    return sums
  }

  private forget(minute: number): void {
    const found = this.sumsByMinute.get(minute)
    if (!found) return
    this.sumsBytes -= ENTRY_BYTES + found.sums.byteLength
    this.sumsByMinute.delete(minute)
  }

  private clear(): void {
    this.selection.clear()
    this.sumsByMinute.clear()
    this.sumsBytes = 0
    this.distinct.clear()
  }
}
