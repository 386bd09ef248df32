import type { Granularity, Point, Range } from '@nowcast/protocol'
import { zoneOffsetMs } from '../format/zone-offset-ms.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Length of a bucket; of a day, the usual one. */
export const BUCKET_MS: Record<Granularity, number> = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS }

/** What a chart can be compared with. */
export type Compare = 'day' | 'week'

const SHIFT_MS: Record<Compare, number> = { day: DAY_MS, week: 7 * DAY_MS }

/**
 * The range to ask for beside points from `from` to `to`, a day or a week earlier. Whole hours, so that the question
 * stays the same for a while, and a little more than needed, since clocks may have changed in between.
 */
export function comparedRange(from: number, to: number, compare: Compare): Range {
  const shift = SHIFT_MS[compare]
  return {
    from: Math.floor(from / HOUR_MS) * HOUR_MS - shift - DAY_MS / 12,
    to: (Math.floor(to / HOUR_MS) + 2) * HOUR_MS - shift + DAY_MS / 12,
  }
}

/** Earlier points at the times of today's whose wall clock shows the same, within `from` … `to`. */
export function comparedPoints(
  points: readonly Point[],
  from: number,
  to: number,
  compare: Compare,
  timeZone: string,
): Point[] {
  const shift = SHIFT_MS[compare]
  const moved: Point[] = []
  const offsets = new Map<number, number>()
  // Offsets change at whole quarters of an hour only.
  const offsetAt = (t: number) => {
    const quarter = Math.floor(t / (HOUR_MS / 4))
    const known = offsets.get(quarter) ?? zoneOffsetMs(quarter * (HOUR_MS / 4), timeZone)
    offsets.set(quarter, known)
    return known
  }
  for (const point of points) {
    const guess = point.t + shift
    if (guess < from - HOUR_MS || guess > to + HOUR_MS) continue
    const t = guess + offsetAt(point.t) - offsetAt(guess)
    if (t >= from && t <= to) moved.push({ t, v: point.v, ...(point.exact !== undefined && { exact: point.exact }) })
  }
  return moved
}
