import type { HotFlush } from '../../src/ports/hot-store.ts'
import { type Cell, cellKey } from '../../src/record/cell.ts'
import type { CellDelta, MinuteDelta, SecondDelta } from '../../src/window/minute-delta.ts'

const MINUTE_MS = 60_000
export const EPOCH = 4711

/** Numbers in [0, 1) that a seed determines. */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface GeneratedEvent {
  cell: Cell
  minute: number
  second: number
  revenue: number
  user: [number, number]
  session: [number, number] | undefined
}

const PROJECTS = ['shop', 'blog']
const NAMES = ['page_view', 'purchase', 'error']
const COUNTRIES = ['US', 'DE', 'Côte d’Ivoire 🇨🇮']

/** Events of one partition; some are late, some too late, some in the future. */
export function generatedLog(count: number, now: number, random: () => number): GeneratedEvent[] {
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T
  const words = (): [number, number] => [Math.floor(random() * 2 ** 32), Math.floor(random() * 2 ** 32)]
  const users = Array.from({ length: 3000 }, words)
  const minuteNow = now - (now % MINUTE_MS)
  return Array.from({ length: count }, () => {
    // None near the 25 hours after which a minute is gone: it would depend on when one looks.
    const late = random() < 0.8 ? random() * 24 * 60 : 26 * 60
    const age = Math.floor(random() < 0.9 ? random() * 5 : late)
    const isPaid = random() < 0.3
    return {
      cell: {
        project: pick(PROJECTS),
        name: pick(NAMES),
        country: pick(COUNTRIES),
        device: 'mobile',
        category: '(none)',
        hot1: random() < 0.2 ? '1r tenant' : '',
        hot2: '',
        unconverted: random() < 0.05 ? 'EUR' : '',
      },
      minute: minuteNow + (random() < 0.05 ? 4 : -age) * MINUTE_MS,
      second: now - (now % 1000),
      // The largest there is, so that sums leave 64 bits.
      revenue: isPaid ? Math.floor((random() - 0.3) * 1e13) : 0,
      user: pick(users),
      session: random() < 0.5 ? pick(users) : undefined,
    }
  })
}

/** What the events `[from, to)` add, by a plain computation of its own. */
export function flushOf(log: readonly GeneratedEvent[], partition: number, from: number, to: number): HotFlush {
  const minutes = new Map<string, MinuteDelta>()
  const cells = new Map<string, CellDelta>()
  const seconds = new Map<string, SecondDelta>()
  for (const { cell, minute, second, revenue, user, session } of log.slice(from, to)) {
    const minuteOf = `${cell.project} ${minute}`
    const delta: MinuteDelta = minutes.get(minuteOf) ?? { project: cell.project, minute, cells: [] }
    minutes.set(minuteOf, delta)
    const key = `${minuteOf} ${cellKey(cell)}`
    let sums = cells.get(key)
    if (!sums) {
      sums = { cell, events: 0, revenue: 0, refunds: 0, refundRevenue: 0, users: [], sessions: [] }
      cells.set(key, sums)
      delta.cells.push(sums)
    }
    sums.events++
    sums.revenue += revenue
    if (revenue < 0) {
      sums.refunds++
      sums.refundRevenue += revenue
    }
    sums.users.push(...user)
    if (session) sums.sessions.push(...session)
    const secondKey = `${second} ${cellKey(cell)}`
    const count = seconds.get(secondKey) ?? { second, cell, events: 0 }
    count.events++
    seconds.set(secondKey, count)
  }
  return { epoch: EPOCH, partition, from, to, minutes: [...minutes.values()], seconds: [...seconds.values()] }
}
