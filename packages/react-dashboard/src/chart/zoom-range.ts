import type { Granularity } from '@nowcast/protocol'

/** Fixed ends of what a chart shows, epoch ms; `to` is exclusive. */
export interface ZoomRange {
  from: number
  to: number
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const LEAST_MS = 10 * MINUTE_MS

/** The buckets that suit a range: minutes up to a day, hours up to two weeks, then days. */
export function granularityOf(spanMs: number): Granularity {
  return spanMs <= DAY_MS ? 'minute' : spanMs <= 14 * DAY_MS ? 'hour' : 'day'
}

/** A range of whole minutes around what was pointed at, no shorter than can be read, within what is shown. */
export function zoomRange(one: number, other: number, shown: ZoomRange): ZoomRange {
  const middle = (one + other) / 2
  const half = Math.max(Math.abs(other - one), LEAST_MS) / 2
  const from = Math.max(shown.from, Math.floor((middle - half) / MINUTE_MS) * MINUTE_MS)
  const to = Math.min(shown.to, Math.ceil((middle + half) / MINUTE_MS) * MINUTE_MS)
  return { from, to }
}
