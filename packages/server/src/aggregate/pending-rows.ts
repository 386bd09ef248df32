import type { HotSet } from '../ports/hot-store.ts'
import type { WindowRow } from '../ports/window-feed.ts'
import { cellKey } from '../record/cell.ts'
import type { CellContent, MinuteContent } from '../window/minute-content.ts'
import type { SecondDelta } from '../window/minute-delta.ts'

/** A dense sketch; most are far smaller. */
const SKETCH_BYTES = 12_288
const ROW_BYTES = 400

type Positions = Extract<WindowRow, { kind: 'positions' }>

/** Rows in their order that are not in the hot store yet. */
export class PendingRows {
  /** Bytes of it, about. */
  bytes = 0
  /** The latest of all, until they are taken. */
  positions: Positions | undefined
  private rows: WindowRow[] = []

  add(rows: readonly WindowRow[]): void {
    for (const row of rows) {
      if (row.kind === 'positions') this.positions = row
      this.rows.push(row)
      this.bytes += bytesOf(row)
    }
  }

  /**
   * What the first rows say, of each key the latest: at most `count` rows, of about `bytes`, before the offset `before`.
   * @returns with the offset of the first row that is left, or `before`
   */
  take(count: number, bytes: number, before: number): Pick<HotSet, 'minutes' | 'seconds'> & { to: number } {
    const minutes = new Map<string, { content: Omit<MinuteContent, 'cells'>; cells: Map<string, CellContent> }>()
    const seconds = new Map<string, SecondDelta>()
    let taken = 0
    let room = bytes
    for (const row of this.rows) {
      if (taken === count || room <= 0 || row.offset >= before) break
      taken++
      room -= bytesOf(row)
      if (row.kind === 'second') seconds.set(`${row.second}\0${cellKey(row.cell)}`, row)
      if (row.kind !== 'minute') continue
      const { minute, content } = row
      const { project } = content.cell
      const key = `${minute}\0${project}`
      let found = minutes.get(key)
      if (!found) {
        found = { content: { project, minute }, cells: new Map() }
        minutes.set(key, found)
      }
      found.cells.set(cellKey(content.cell), content)
    }
    this.rows = this.rows.slice(taken)
    this.bytes -= bytes - room
    return {
      minutes: Array.from(minutes.values(), ({ content, cells }) => ({ ...content, cells: [...cells.values()] })),
      seconds: [...seconds.values()],
      to: Math.min(before, this.rows[0]?.offset ?? before),
    }
  }
}

function bytesOf(row: WindowRow): number {
  let bytes = ROW_BYTES
  if (row.kind !== 'minute') return bytes
  for (const sketch of [row.content.users, row.content.sessions]) {
    if (sketch) bytes += sketch.isDense ? SKETCH_BYTES : sketch.byteLength
  }
  return bytes
}
