import { zoneOffset } from '../../window/zone.ts'

const HOUR_MS = 3_600_000
/** Shorter than any zone stays with an offset before it turns back. */
const STEP_MS = 28 * 24 * HOUR_MS

/**
 * Whether a zone's distance from UTC is whole hours throughout a range, so that its hours are UTC's.
 * @throws RangeError for a zone that does not exist
 */
export function hasWholeHourOffsets(timezone: string, from: number, to: number): boolean {
  const isWhole = (at: number) => zoneOffset(timezone, at) % HOUR_MS === 0
  for (let at = from; at < to; at += STEP_MS) if (!isWhole(at)) return false
  return isWhole(to)
}
