import { HyperLogLog, type RegisterSink } from '../sketch/hyperloglog.ts'
import type { CellContent } from './minute-content.ts'
import type { CellDelta } from './minute-delta.ts'
import { PackedSketches } from './packed-sketches.ts'
import { SPLIT, splitSum } from './split-sum.ts'

/** Bytes of an open cell's object and map entry, about. */
const OPEN_CELL_BYTES = 200

interface OpenCell {
  events: number
  /** See {@link SPLIT}. */
  revenueHigh: number
  revenueLow: number
  users: HyperLogLog
  sessions: HyperLogLog | undefined
}

/** Refunds of a cell; few cells have any. */
export interface Refunds {
  events: number
  revenueHigh: number
  revenueLow: number
}

interface Sealed {
  ids: Uint32Array
  events: Float64Array
  revenueHigh: Float64Array
  revenueLow: Float64Array
  users: PackedSketches
  sessions: PackedSketches
}

/** One sketch a cell. */
export interface CellSketches {
  /** Cells' ids by place. */
  readonly ids: ArrayLike<number>
  pour(place: number, sink: RegisterSink): void
}

/** Called for each cell; revenue is `revenueHigh × 2²⁸ + revenueLow` ten-thousandths. */
export type CellVisitor = (id: number, events: number, revenueHigh: number, revenueLow: number) => void

/**
 * One tumbling minute of one project: counts, revenue and sketches a cell, cells by their id in the project's
 * dictionary. Open while events come in, sealed into plain arrays when it is quiet.
 */
export class MinuteWindow {
  /** Grows with each change; set by the cube. */
  revision = 0
  readonly refunds = new Map<number, Refunds>()
  private open: Map<number, OpenCell> | undefined = new Map()
  private sealed: Sealed | undefined

  get isSealed(): boolean {
    return this.sealed !== undefined
  }

  get byteLength(): number {
    if (this.sealed) {
      return this.sealed.ids.length * 28 + this.sealed.users.byteLength + this.sealed.sessions.byteLength
    }
    let bytes = 0
    for (const cell of this.open?.values() ?? []) {
      bytes += OPEN_CELL_BYTES + cell.users.byteLength + (cell.sessions?.byteLength ?? 0)
    }
    return bytes
  }

  /** Adds what a flush brought; `acquireId` is asked once for a cell the window does not have. */
  add(delta: CellDelta, knownId: number | undefined, acquireId: () => number): void {
    const cells = this.opened()
    let cell = knownId === undefined ? undefined : cells.get(knownId)
    let id = knownId
    if (!cell || id === undefined) {
      id = acquireId()
      cell = { events: 0, revenueHigh: 0, revenueLow: 0, users: new HyperLogLog(), sessions: undefined }
      cells.set(id, cell)
    }
    cell.events += delta.events
    if (delta.revenue !== 0) addSplit(cell, delta.revenue)
    for (let i = 0; i < delta.users.length; i += 2)
      cell.users.add(delta.users[i] as number, delta.users[i + 1] as number)
    if (delta.sessions.length > 0) {
      cell.sessions ??= new HyperLogLog()
      for (let i = 0; i < delta.sessions.length; i += 2) {
        cell.sessions.add(delta.sessions[i] as number, delta.sessions[i + 1] as number)
      }
    }
    if (delta.refunds > 0) {
      let refunds = this.refunds.get(id)
      if (!refunds) {
        refunds = { events: 0, revenueHigh: 0, revenueLow: 0 }
        this.refunds.set(id, refunds)
      }
      refunds.events += delta.refunds
      addSplit(refunds, delta.refundRevenue)
    }
  }

  /** Sets what a cell holds, in a window that does not have it yet. */
  put(id: number, content: CellContent): void {
    const { events, revenue, refunds, refundRevenue, users, sessions } = content
    this.opened().set(id, { events, ...splitSum(revenue), users: users ?? new HyperLogLog(), sessions })
    if (refunds > 0) this.refunds.set(id, { events: refunds, ...splitSum(refundRevenue) })
  }

  /** Sets what a cell holds, whatever it held; `acquireId` is asked once for a cell the window does not have. */
  set(content: CellContent, knownId: number | undefined, acquireId: () => number): void {
    const id = knownId !== undefined && this.opened().has(knownId) ? knownId : acquireId()
    this.refunds.delete(id)
    this.put(id, content)
  }

  /** Events and sketches of a cell; undefined while the window is packed. */
  openCell(id: number): Pick<CellContent, 'events' | 'users' | 'sessions'> | undefined {
    return this.open?.get(id)
  }

  visit(visitor: CellVisitor): void {
    if (this.sealed) {
      const { ids, events, revenueHigh, revenueLow } = this.sealed
      for (let i = 0; i < ids.length; i++) {
        visitor(ids[i] as number, events[i] as number, revenueHigh[i] as number, revenueLow[i] as number)
      }
      return
    }
    for (const [id, cell] of this.opened()) visitor(id, cell.events, cell.revenueHigh, cell.revenueLow)
  }

  /** The sketches of one kind, to be poured one by one; as they are now. */
  sketches(kind: 'users' | 'sessions'): CellSketches {
    if (this.sealed) {
      const { ids, [kind]: packed } = this.sealed
      return { ids, pour: (place, sink) => packed.pourInto(place, sink) }
    }
    const cells = [...this.opened()]
    return { ids: cells.map(([id]) => id), pour: (place, sink) => cells[place]?.[1][kind]?.pourInto(sink) }
  }

  /** Packs the window; it opens again by itself when a late event comes. */
  seal(): void {
    if (!this.open) return
    const cells = [...this.open]
    this.sealed = {
      ids: Uint32Array.from(cells, ([id]) => id),
      events: Float64Array.from(cells, ([, cell]) => cell.events),
      revenueHigh: Float64Array.from(cells, ([, cell]) => cell.revenueHigh),
      revenueLow: Float64Array.from(cells, ([, cell]) => cell.revenueLow),
      users: new PackedSketches(cells.map(([, cell]) => cell.users)),
      sessions: new PackedSketches(cells.map(([, cell]) => cell.sessions)),
    }
    this.open = undefined
  }

  private opened(): Map<number, OpenCell> {
    if (this.open) return this.open
    const open = new Map<number, OpenCell>()
    const { sealed } = this
    if (sealed) {
      for (const [i, id] of sealed.ids.entries()) {
        open.set(id, {
          events: sealed.events[i] as number,
          revenueHigh: sealed.revenueHigh[i] as number,
          revenueLow: sealed.revenueLow[i] as number,
          users: sealed.users.unpack(i) ?? new HyperLogLog(),
          sessions: sealed.sessions.unpack(i),
        })
      }
    }
    this.sealed = undefined
    this.open = open
    return open
  }
}

function addSplit(sum: { revenueHigh: number; revenueLow: number }, units: number): void {
  const low = sum.revenueLow + (units % SPLIT)
  const carried = Math.floor(low / SPLIT)
  sum.revenueHigh += Math.trunc(units / SPLIT) + carried
  sum.revenueLow = low - carried * SPLIT
}
