import { createHash } from 'node:crypto'
import type { HotView } from '../../src/ports/hot-store.ts'
import { type Cell, cellKey } from '../../src/record/cell.ts'
import { HyperLogLog } from '../../src/sketch/hyperloglog.ts'
import { joinSum } from '../../src/window/split-sum.ts'

/** Everything that a view holds of its minutes, as comparable text: counts, money, and registers of the sketches. */
export function contentsOf(view: HotView): Map<string, string> {
  const contents = new Map<string, string>()
  for (const [project, { minutes, dictionary }] of view.projects) {
    for (const [minute, window] of minutes) {
      const users = new Map<number, HyperLogLog>()
      const sessions = new Map<number, HyperLogLog>()
      for (const [kind, byCell] of [
        ['users', users],
        ['sessions', sessions],
      ] as const) {
        const { ids, pour } = window.sketches(kind)
        for (const [place, id] of Array.from(ids).entries()) pour(place, sketchAt(byCell, id))
      }
      window.visit((id, events, high, low) => {
        const refunds = window.refunds.get(id)
        const money = joinSum(high, low)
        const refunded = refunds ? joinSum(refunds.revenueHigh, refunds.revenueLow) : 0n
        const registers = `${digest(users.get(id))} ${digest(sessions.get(id))}`
        const key = `${project} ${new Date(minute).toISOString()} ${cellKey(dictionary.cells[id] as Cell)}`
        contents.set(key, `${events} events, ${money}, ${refunds?.events ?? 0} refunds, ${refunded}, ${registers}`)
      })
    }
  }
  return contents
}

/** Events by second and cell. */
export function secondsOf(view: HotView): Map<string, number> {
  const seconds = new Map<string, number>()
  for (const [project, { seconds: counts, dictionary }] of view.projects) {
    for (const [second, byCell] of counts) {
      for (const [id, events] of byCell) {
        seconds.set(`${project} ${second} ${cellKey(dictionary.cells[id] as Cell)}`, events)
      }
    }
  }
  return seconds
}

function sketchAt(sketches: Map<number, HyperLogLog>, id: number): HyperLogLog {
  const sketch = sketches.get(id) ?? new HyperLogLog()
  sketches.set(id, sketch)
  return sketch
}

const digest = (sketch: HyperLogLog | undefined) =>
  sketch === undefined || sketch.isEmpty ? 'none' : createHash('sha1').update(sketch.toDense()).digest('hex')
