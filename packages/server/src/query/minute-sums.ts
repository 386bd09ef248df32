import type { Measure } from '../ports/event-store.ts'
import type { MinuteWindow } from '../window/minute-window.ts'
import { joinSum, SPLIT } from '../window/split-sum.ts'
import type { CellSelection } from './cell-selection.ts'

/**
 * Columns of a group: all events, those of each class of names (see CellSelection), revenue, orders and their revenue.
 * Money takes two, see {@link SPLIT}.
 */
const COLUMNS = 10
/** Columns of a group and, in front of them, its number. */
const PACKED = COLUMNS + 1
const REVENUE = 5
const ORDERS = 7
const ORDER_REVENUE = 8

const COLUMN: Partial<Record<Measure, number>> = {
  events: 0,
  page_views: 1,
  clicks: 2,
  purchases: 3,
  errors: 4,
  revenue: REVENUE,
  orders: ORDERS,
  order_revenue: ORDER_REVENUE,
}

/** Sums by group, to be cleared and used again. */
export class GroupSums {
  /** Those with anything in them, in no order. */
  readonly groups: number[] = []
  private values = new Float64Array(COLUMNS)
  private isUsed = new Uint8Array(1)

  /** Adds what a minute's cells hold. */
  addWindow(window: MinuteWindow, selection: CellSelection): void {
    const { mask, group, nameClass, orders } = selection
    this.makeRoom(selection.keys.length)
    window.visit((id, events, revenueHigh, revenueLow) => {
      if (!mask[id]) return
      const at = this.enter(group[id] as number)
      const name = nameClass[id] as number
      this.addCount(at, events)
      if (name !== 0) this.addCount(at + name, events)
      this.addMoney(at + REVENUE, revenueHigh, revenueLow)
      if (!orders[id]) return
      this.addCount(at + ORDERS, events)
      this.addMoney(at + ORDER_REVENUE, revenueHigh, revenueLow)
    })
    for (const [id, refunds] of window.refunds) {
      if (!mask[id] || !orders[id]) continue
      const at = this.enter(group[id] as number)
      this.addCount(at + ORDERS, -refunds.events)
      this.addMoney(at + ORDER_REVENUE, -refunds.revenueHigh, -refunds.revenueLow)
    }
  }

  add(packed: PackedSums): void {
    for (let from = 1; from < packed.length; from += PACKED) {
      const group = packed[from - 1] as number
      this.makeRoom(group + 1)
      const at = this.enter(group)
      for (let column = 0; column < REVENUE; column++) this.addCount(at + column, packed[from + column] as number)
      this.addMoney(at + REVENUE, packed[from + REVENUE] as number, packed[from + REVENUE + 1] as number)
      this.addCount(at + ORDERS, packed[from + ORDERS] as number)
      this.addMoney(
        at + ORDER_REVENUE,
        packed[from + ORDER_REVENUE] as number,
        packed[from + ORDER_REVENUE + 1] as number,
      )
    }
  }

  /** An additive measure of a group. */
  value(group: number, measure: Measure): bigint {
    const column = COLUMN[measure]
    if (column === undefined) throw new RangeError(`${measure} cannot be added up`)
    const at = group * COLUMNS + column
    const first = this.values[at] as number
    const isMoney = column === REVENUE || column === ORDER_REVENUE
    return isMoney ? joinSum(first, this.values[at + 1] as number) : BigInt(first)
  }

  /** A copy to be kept. */
  pack(): PackedSums {
    const packed = new Float64Array(this.groups.length * PACKED)
    let at = 0
    for (const group of this.groups) {
      packed[at++] = group
      for (let column = 0; column < COLUMNS; column++) packed[at++] = this.values[group * COLUMNS + column] as number
    }
    return packed
  }

  clear(): void {
    for (const group of this.groups) {
      this.values.fill(0, group * COLUMNS, (group + 1) * COLUMNS)
      this.isUsed[group] = 0
    }
    this.groups.length = 0
  }

  /** Where a group's columns begin. */
  private enter(group: number): number {
    if (!this.isUsed[group]) {
      this.isUsed[group] = 1
      this.groups.push(group)
    }
    return group * COLUMNS
  }

  private addCount(at: number, events: number): void {
    this.values[at] = (this.values[at] as number) + events
  }

  private addMoney(at: number, high: number, low: number): void {
    if (high === 0 && low === 0) return
    const sum = (this.values[at + 1] as number) + low
    const carried = Math.floor(sum / SPLIT)
    this.values[at] = (this.values[at] as number) + high + carried
    this.values[at + 1] = sum - carried * SPLIT
  }

  private makeRoom(groups: number): void {
    if (this.isUsed.length >= groups) return
    const values = new Float64Array(groups * 2 * COLUMNS)
    const isUsed = new Uint8Array(groups * 2)
    values.set(this.values)
    isUsed.set(this.isUsed)
    this.values = values
    this.isUsed = isUsed
  }
}

/** Sums of the groups that have any: {@link PACKED} numbers each. */
export type PackedSums = Float64Array
