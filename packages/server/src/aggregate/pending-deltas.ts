import { REPEAT, type ReadSlice } from '../consume/log-reader.ts'
import { cellKey } from '../record/cell.ts'
import type { CellDelta, MinuteDelta, SecondDelta } from '../window/minute-delta.ts'

const MINUTE_MS = 60_000
const SECOND_MS = 1000
/** A pending sum beyond this must be flushed before more is added: one event adds at most 10¹³. */
const FULL_SUM = 2 ** 52

/** Gathers what the events of one partition add, between two flushes. */
export class PendingDeltas {
  events = 0
  duplicates = 0
  private readonly minutes = new Map<string, { delta: MinuteDelta; cells: Map<string, CellDelta> }>()
  private readonly seconds = new Map<string, SecondDelta>()

  /**
   * Adds the events of a slice from index `first` on; stops early when a sum is full.
   * @returns index of the first event that was not added
   */
  add(slice: ReadSlice, first: number): number {
    const { batch, excluded, last } = slice
    const { time, receivedAt, cell: cellOf, users, sessions, revenue, cells } = batch
    const cellsByMinute = new Map<number, (CellDelta | undefined)[]>()
    let minute = Number.NaN
    let minuteCells: (CellDelta | undefined)[] = []
    let second = Number.NaN
    let secondCells: (SecondDelta | undefined)[] = []
    for (let i = first; i < last; i++) {
      if (excluded[i]) {
        if (excluded[i] === REPEAT) this.duplicates++
        continue
      }
      const at = time[i] as number
      const eventMinute = at - (at % MINUTE_MS)
      if (eventMinute !== minute) {
        minute = eventMinute
        minuteCells = cellsByMinute.get(minute) ?? []
        cellsByMinute.set(minute, minuteCells)
      }
      const index = cellOf[i] as number
      let delta = minuteCells[index]
      if (!delta) {
        delta = this.cellDelta(cells[index] as CellDelta['cell'], minute)
        minuteCells[index] = delta
      }
      const units = revenue[i] as number
      if (Math.abs(delta.revenue + units) > FULL_SUM || Math.abs(delta.refundRevenue + units) > FULL_SUM) return i
      delta.events++
      if (units !== 0) {
        delta.revenue += units
        if (units < 0) {
          delta.refunds++
          delta.refundRevenue += units
        }
      }
      delta.users.push(users[i * 2] as number, users[i * 2 + 1] as number)
      const low = sessions[i * 2] as number
      const high = sessions[i * 2 + 1] as number
      if (low !== 0 || high !== 0) delta.sessions.push(low, high)

      const received = receivedAt[i] as number
      const eventSecond = received - (received % SECOND_MS)
      if (eventSecond !== second) {
        second = eventSecond
        secondCells = []
      }
      let count = secondCells[index]
      if (!count) {
        count = this.secondDelta(cells[index] as CellDelta['cell'], second)
        secondCells[index] = count
      }
      count.events++
      this.events++
    }
    return last
  }

  /** What was gathered; nothing is left. */
  take(): { minutes: MinuteDelta[]; seconds: SecondDelta[] } {
    const minutes = Array.from(this.minutes.values(), ({ delta }) => delta)
    const seconds = [...this.seconds.values()]
    this.minutes.clear()
    this.seconds.clear()
    this.events = 0
    this.duplicates = 0
    return { minutes, seconds }
  }

  private cellDelta(cell: CellDelta['cell'], minute: number): CellDelta {
    const minuteKey = `${minute}\0${cell.project}`
    let pending = this.minutes.get(minuteKey)
    if (!pending) {
      pending = { delta: { project: cell.project, minute, cells: [] }, cells: new Map() }
      this.minutes.set(minuteKey, pending)
    }
    const key = cellKey(cell)
    let delta = pending.cells.get(key)
    if (!delta) {
      delta = { cell, events: 0, revenue: 0, refunds: 0, refundRevenue: 0, users: [], sessions: [] }
      pending.cells.set(key, delta)
      pending.delta.cells.push(delta)
    }
    return delta
  }

  private secondDelta(cell: CellDelta['cell'], second: number): SecondDelta {
    const key = `${second}\0${cellKey(cell)}`
    let delta = this.seconds.get(key)
    if (!delta) {
      delta = { second, cell, events: 0 }
      this.seconds.set(key, delta)
    }
    return delta
  }
}
