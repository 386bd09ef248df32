import { MINUTE_MS, type ProjectWindows } from '../window/window-cube.ts'
import type { CellSelection } from './cell-selection.ts'
import { countGroups, type GroupSketches, PackedGroups, type SketchKind, windowSketches } from './group-sketches.ts'

/** Minutes that are united once for all longer stretches; begins and ends where hours of every usual zone do. */
const CHUNK_MS = 30 * MINUTE_MS
/** Counts of stretches that are kept, for each length. */
const MOST_COUNTS = 2 * 1440
const MOST_LENGTHS = 32
const ENTRY_BYTES = 150
const COUNT_BYTES = 40

/**
 * Which state of a stretch something was made from: its newest change and how many of its minutes have events. A minute
 * that goes changes the number, one that comes or changes has a newer revision.
 */
interface State {
  newest: number
  minutes: number
}

interface Sketched extends State {
  sketches: PackedGroups
}

interface Counted extends State {
  counts: ReadonlyMap<number, number>
}

/** Distinct counts of one selection: sketches by minute and by half an hour, and what was counted from them. */
export class DistinctCounts {
  private readonly selection: CellSelection
  /** By kind and length, then by start. */
  private readonly sketched = new Map<string, Map<number, Sketched>>()
  private readonly counted = new Map<string, Map<number, Counted>>()
  private newestMinute = 0
  private sketchedBytes = 0
  private countedBytes = 0

  constructor(selection: CellSelection) {
    this.selection = selection
  }

  get byteLength(): number {
    return this.sketchedBytes + this.countedBytes
  }

  /** Forgets what is over. */
  update(windows: ProjectWindows | undefined): void {
    let oldest = Number.POSITIVE_INFINITY
    this.newestMinute = 0
    for (const minute of windows?.minutes.keys() ?? []) {
      oldest = Math.min(oldest, minute)
      this.newestMinute = Math.max(this.newestMinute, minute)
    }
    for (const entries of this.sketched.values()) {
      for (const [from, { sketches }] of entries) {
        if (from + CHUNK_MS > oldest) continue
        entries.delete(from)
        this.sketchedBytes -= ENTRY_BYTES + sketches.byteLength
      }
    }
  }

  /** Distinct elements of the minutes `[from, to)` by group; those of several kinds are never mixed. */
  count(windows: ProjectWindows | undefined, kind: SketchKind, from: number, to: number): ReadonlyMap<number, number> {
    if (!windows) return new Map()
    const state = stateOf(windows, from, to)
    const entries = lengthOf(this.counted, `${kind} ${to - from}`)
    const found = entries.get(from)
    if (found && isSame(found, state)) return found.counts
    const counts = countGroups(this.sourcesOf(windows, kind, from, to))
    this.countedBytes += countBytes(counts) - (found ? countBytes(found.counts) : 0)
    entries.set(from, { ...state, counts })
    this.forgetCounts(entries)
    return counts
  }

  clear(): void {
    this.sketched.clear()
    this.counted.clear()
    this.sketchedBytes = 0
    this.countedBytes = 0
  }

  /** Whole half hours that are over, and the minutes around them. */
  private sourcesOf(windows: ProjectWindows, kind: SketchKind, from: number, to: number): GroupSketches[] {
    const sources: GroupSketches[] = []
    let at = from
    while (at < to) {
      const isChunk = at % CHUNK_MS === 0 && at + CHUNK_MS <= Math.min(to, this.newestMinute)
      const end = at + (isChunk ? CHUNK_MS : MINUTE_MS)
      const state = stateOf(windows, at, end)
      if (state.minutes > 0) sources.push(this.sketchesOf(windows, kind, at, end, state))
      at = end
    }
    return sources
  }

  private sketchesOf(windows: ProjectWindows, kind: SketchKind, from: number, to: number, state: State): GroupSketches {
    const entries = lengthOf(this.sketched, `${kind} ${to - from}`)
    const found = entries.get(from)
    if (found && isSame(found, state)) return found.sketches
    if (found) this.sketchedBytes -= ENTRY_BYTES + found.sketches.byteLength
    const sketches = new PackedGroups(this.minutesOf(windows, kind, from, to))
    entries.set(from, { ...state, sketches })
    this.sketchedBytes += ENTRY_BYTES + sketches.byteLength
    return sketches
  }

  /** Each minute as it was packed, if it was, else as its cells hold it. */
  private minutesOf(windows: ProjectWindows, kind: SketchKind, from: number, to: number): GroupSketches[] {
    const packed = this.sketched.get(`${kind} ${MINUTE_MS}`)
    const sources: GroupSketches[] = []
    for (let minute = from; minute < to; minute += MINUTE_MS) {
      const window = windows.minutes.get(minute)
      if (!window) continue
      const found = packed?.get(minute)
      const isKept = found?.newest === window.revision
      sources.push(isKept ? found.sketches : windowSketches(window, kind, this.selection))
    }
    return sources
  }

  private forgetCounts(entries: Map<number, Counted>): void {
    if (entries.size > MOST_COUNTS) {
      const [oldest] = entries as Iterable<[number, Counted]>
      if (oldest) {
        entries.delete(oldest[0])
        this.countedBytes -= countBytes(oldest[1].counts)
      }
    }
    if (this.counted.size <= MOST_LENGTHS) return
    const [first] = this.counted
    if (!first) return
    this.counted.delete(first[0])
    for (const { counts } of first[1].values()) this.countedBytes -= countBytes(counts)
  }
}

function stateOf({ minutes }: ProjectWindows, from: number, to: number): State {
  const state = { newest: 0, minutes: 0 }
  for (let minute = from; minute < to; minute += MINUTE_MS) {
    const window = minutes.get(minute)
    if (!window) continue
    state.minutes++
    if (window.revision > state.newest) state.newest = window.revision
  }
  return state
}

const isSame = (a: State, b: State) => a.newest === b.newest && a.minutes === b.minutes

const countBytes = (counts: ReadonlyMap<number, number>) => ENTRY_BYTES + counts.size * COUNT_BYTES

/** The entries of one kind and length. */
function lengthOf<T>(byLength: Map<string, Map<number, T>>, key: string): Map<number, T> {
  let entries = byLength.get(key)
  if (!entries) {
    entries = new Map()
    byLength.set(key, entries)
  }
  return entries
}
