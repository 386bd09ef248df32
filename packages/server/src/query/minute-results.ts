import type { Measure } from '../ports/event-store.ts'
import { HyperLogLog } from '../sketch/hyperloglog.ts'
import type { MinuteWindow } from '../window/minute-window.ts'
import { SPLIT } from '../window/split-sum.ts'
import type { ProjectWindows } from '../window/window-cube.ts'
import { type CellSelection, PURCHASE } from './cell-selection.ts'
import { DISTINCT_MEASURES } from './metric-definitions.ts'

/** What one minute holds for one key of a question. */
export interface MinuteMeasures {
  /** By the class of the events' names, see CellSelection; all events at 5. */
  counts: [number, number, number, number, number, number]
  revenueHigh: number
  revenueLow: number
  orders: number
  orderRevenueHigh: number
  orderRevenueLow: number
  users: HyperLogLog | undefined
  buyers: HyperLogLog | undefined
  sessions: HyperLogLog | undefined
}

const ALL = 5
const COUNT_CLASS: Partial<Record<Measure, number>> = { events: ALL, page_views: 1, clicks: 2, purchases: 3, errors: 4 }

/** Results of one minute by the selection's groups, which keep their numbers; undefined entries have nothing. */
export type MinuteResult = (MinuteMeasures | undefined)[]

interface Cached {
  revision: number
  window: MinuteWindow
  result: MinuteResult
}

/**
 * A question's results minute by minute. A minute is computed again only when it changed, so that keeping this object
 * makes a live question cost what changed.
 */
export class MinuteResults {
  readonly selection: CellSelection
  private readonly sketches: { users: boolean; buyers: boolean; sessions: boolean }
  private readonly cache = new Map<number, Cached>()

  constructor(selection: CellSelection, measures: readonly Measure[]) {
    this.selection = selection
    this.sketches = {
      users: measures.some((measure) => measure === 'users' || measure === 'active_users'),
      buyers: measures.includes('buyers'),
      sessions: measures.includes('sessions'),
    }
  }

  /** Takes in new cells and forgets minutes that are gone; to be called before {@link at}, once per answer. */
  update(windows: ProjectWindows | undefined): void {
    if (windows) this.selection.update(windows.dictionary)
    for (const minute of this.cache.keys()) if (!windows?.minutes.has(minute)) this.cache.delete(minute)
  }

  /** The results of a minute; undefined when it has no events. */
  at(windows: ProjectWindows | undefined, minute: number): MinuteResult | undefined {
    const window = windows?.minutes.get(minute)
    if (!windows || !window) return undefined
    const cached = this.cache.get(minute)
    if (cached && cached.window === window && cached.revision === window.revision) return cached.result
    const result = this.compute(window)
    this.cache.set(minute, { revision: window.revision, window, result })
    return result
  }

  private compute(window: MinuteWindow): MinuteResult {
    const result: MinuteResult = []
    const { mask, group, nameClass, orders } = this.selection
    window.visit((id, events, revenueHigh, revenueLow) => {
      if (!mask[id]) return
      const measures = measuresAt(result, group[id] as number)
      const name = nameClass[id] as number
      measures.counts[ALL] += events
      if (name !== 0) measures.counts[name as 1] += events
      measures.revenueHigh += revenueHigh
      measures.revenueLow += revenueLow
      if (orders[id]) {
        measures.orders += events
        measures.orderRevenueHigh += revenueHigh
        measures.orderRevenueLow += revenueLow
      }
    })
    for (const [id, refunds] of window.refunds) {
      if (!mask[id] || !orders[id]) continue
      const measures = measuresAt(result, group[id] as number)
      measures.orders -= refunds.events
      measures.orderRevenueHigh -= refunds.revenueHigh
      measures.orderRevenueLow -= refunds.revenueLow
    }
    this.pour(window, result)
    return result
  }

  private pour(window: MinuteWindow, result: MinuteResult): void {
    const { mask, group, nameClass } = this.selection
    const sketchOf = (kind: 'users' | 'buyers' | 'sessions', id: number) => {
      const measures = measuresAt(result, group[id] as number)
      measures[kind] ??= new HyperLogLog()
      return measures[kind]
    }
    if (this.sketches.users) window.pourUsers((id) => (mask[id] ? sketchOf('users', id) : undefined))
    if (this.sketches.buyers) {
      window.pourUsers((id) => (mask[id] && nameClass[id] === PURCHASE ? sketchOf('buyers', id) : undefined))
    }
    if (this.sketches.sessions) window.pourSessions((id) => (mask[id] ? sketchOf('sessions', id) : undefined))
  }
}

function measuresAt(result: MinuteResult, group: number): MinuteMeasures {
  let measures = result[group]
  if (!measures) {
    measures = {
      counts: [0, 0, 0, 0, 0, 0],
      revenueHigh: 0,
      revenueLow: 0,
      orders: 0,
      orderRevenueHigh: 0,
      orderRevenueLow: 0,
      users: undefined,
      buyers: undefined,
      sessions: undefined,
    }
    result[group] = measures
  }
  return measures
}

/** Two doubles a measure, see {@link SPLIT}: exact sums without an allocation. */
export type SplitSums = Float64Array

/** Adds an additive measure of one minute to the sums at `slot`. */
export function addMeasure(sums: SplitSums, slot: number, measures: MinuteMeasures, measure: Measure): void {
  const at = slot * 2
  const nameClass = COUNT_CLASS[measure]
  if (nameClass !== undefined) {
    sums[at + 1] = (sums[at + 1] as number) + measures.counts[nameClass as 1]
  } else if (measure === 'orders') {
    sums[at + 1] = (sums[at + 1] as number) + measures.orders
  } else if (measure === 'revenue') {
    addSplit(sums, at, measures.revenueHigh, measures.revenueLow)
  } else if (measure === 'order_revenue') {
    addSplit(sums, at, measures.orderRevenueHigh, measures.orderRevenueLow)
  } else {
    throw new RangeError(`${measure} cannot be added up`)
  }
}

function addSplit(sums: SplitSums, at: number, high: number, low: number): void {
  const sum = (sums[at + 1] as number) + low
  const carried = Math.floor(sum / SPLIT)
  sums[at] = (sums[at] as number) + high + carried
  sums[at + 1] = sum - carried * SPLIT
}

/** The sketch of a distinct measure in one minute. */
export function distinctSketch(measures: MinuteMeasures, measure: Measure): HyperLogLog | undefined {
  if (!DISTINCT_MEASURES.has(measure)) throw new RangeError(`${measure} is no distinct count`)
  if (measure === 'buyers') return measures.buyers
  return measure === 'sessions' ? measures.sessions : measures.users
}
