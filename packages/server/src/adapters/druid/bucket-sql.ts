import type { Granularity } from '@nowcast/protocol'
import { zoneOffset } from '../../window/zone.ts'
import { textSql } from './dimension-sql.ts'

const QUARTER_MS = 900_000
const HOUR_MS = 4 * QUARTER_MS
/** Shorter than any zone stays with an offset before it turns back. */
const STEP_MS = 28 * 24 * HOUR_MS

/** Start of a row's bucket, epoch ms. */
export function bucketSql(granularity: Granularity, timezone: string, from: number, to: number): string {
  if (granularity === 'minute') return "TIME_FLOOR(__time, 'PT1M')"
  if (granularity === 'day') return `TIME_FLOOR(__time, 'P1D', NULL, ${textSql(timezone)})`
  const stretches = offsetStretches(timezone, from, to)
  if (stretches.every(({ offset }) => offset % HOUR_MS === 0)) return "TIME_FLOOR(__time, 'PT1H')"
  // Hours that begin at half past or so, and those that turned clocks cut in two.
  const cases = stretches.map(({ since, until, offset }) => {
    const start = `ms - MOD(ms + ${offset}, ${HOUR_MS})`.replaceAll('ms', 'TIMESTAMP_TO_MILLIS(__time)')
    const when = until === undefined ? 'ELSE' : `WHEN TIMESTAMP_TO_MILLIS(__time) < ${until} THEN`
    return `${when} ${since === undefined ? start : `CASE WHEN ${start} < ${since} THEN ${since} ELSE ${start} END`}`
  })
  const [only] = cases
  const sql = cases.length === 1 ? String(only).replace(/^ELSE /, '') : `CASE ${cases.join(' ')} END`
  return `MILLIS_TO_TIMESTAMP(${sql})`
}

interface Stretch {
  /** Undefined where it began before the range. */
  since: number | undefined
  /** Undefined where it lasts beyond the range. */
  until: number | undefined
  offset: number
}

/** The stretches of time in which a zone keeps its distance from UTC, in a range. */
function offsetStretches(timezone: string, from: number, to: number): Stretch[] {
  const stretches: Stretch[] = [{ since: undefined, until: undefined, offset: zoneOffset(timezone, from) }]
  for (let at = from; at < to; at += STEP_MS) {
    const end = Math.min(to, at + STEP_MS)
    const last = stretches.at(-1) as Stretch
    const offset = zoneOffset(timezone, end)
    if (offset === last.offset) continue
    // Clocks are turned on quarters of an hour.
    let low = Math.floor(at / QUARTER_MS)
    let high = Math.ceil(end / QUARTER_MS)
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (zoneOffset(timezone, middle * QUARTER_MS) === last.offset) low = middle
      else high = middle
    }
    last.until = high * QUARTER_MS
    stretches.push({ since: last.until, until: undefined, offset })
  }
  return stretches
}
